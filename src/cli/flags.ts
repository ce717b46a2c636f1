/**
 * The command line, in the spellings that Prometheus takes: `--flag value`, `--flag=value`, `--flag` and `--no-flag`
 * for switches, `@file` for a file with one argument per line. Only list flags may be repeated.
 */
import { ConfigError, ParseError } from "../base/errors.ts";
import { nearestName } from "../base/nearest.ts";
import { parseSize } from "../config/size.ts";
import { parseDuration } from "../model/duration.ts";
import { FeatureNames } from "./feature-names.ts";
import { type FlagDefinition, normaliseFlagValue } from "./flag-definition.ts";
import { allFlags } from "./flag-table.ts";
import { parseGoDuration } from "./go-duration.ts";
import { replacementOf1x, replacementOfRemoved } from "./legacy-flags.ts";

/** As much as the head's memory has room for: src/tsdb/head/head.ts. */
const samplesPerChunkMax = 32_767;
const chunkRangeMsMax = 2 ** 32 - 1;

const definitions: ReadonlyMap<string, FlagDefinition> = new Map(allFlags.map((flag) => [flag.name, flag]));

/** What the command line asks for besides starting the server. */
export type Wish = "serve" | "help" | "version";

export interface CommandLine {
  readonly wish: Wish;
  readonly flags: Flags;
}

/** The flags' values: those given, otherwise the defaults. */
export class Flags {
  /** As Prometheus prints them. */
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(given: ReadonlyMap<string, readonly string[]>) {
    this.#given = given;
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string): string {
    return this.list(name).join(",");
  }

  bool(name: string): boolean {
    return this.text(name) === "true";
  }

  number(name: string): number {
    return Number(this.text(name));
  }

  durationMs(name: string): number {
    const text = this.text(name);
    return definitionOf(name).kind === "goDuration" ? parseGoDuration(text) : parseDuration(text);
  }

  bytes(name: string): number {
    return parseSize(this.text(name));
  }

  list(name: string): readonly string[] {
    const given = this.#given.get(name);
    if (given !== undefined) return given;
    const flag = definitionOf(name);
    if (flag.kind === "texts") return flag.default === "" ? [] : flag.default.split(",");
    return [normaliseFlagValue(flag, flag.default)];
  }

  /** What `--enable-feature` names. */
  features(): FeatureNames {
    return new FeatureNames(this.list("enable-feature"));
  }

  /** Given flags that do nothing in this version. */
  withoutEffect(): string[] {
    return [...this.#given.keys()].filter((name) => definitionOf(name).noEffectYet === true);
  }

  /** All flags with their values as status/flags shows them; see effective-flags.ts for those that change later. */
  all(): Record<string, string> {
    return Object.fromEntries([...definitions.keys()].sort().map((name) => [name, this.text(name)]));
  }
}

function definitionOf(name: string): FlagDefinition {
  const flag = definitions.get(name);
  if (flag === undefined) throw new RangeError(`there is no flag --${name}`);
  return flag;
}

/** Throws a ConfigError. `readFile` is for arguments from files; it throws where there is no such file. */
export function parseFlags(args: readonly string[], readFile: (path: string) => string): CommandLine {
  const parser = new Parser(expandFiles(args, readFile));
  parser.parse();
  const flags = new Flags(parser.given);
  checkTogether(flags);
  return { wish: parser.wish, flags };
}

function flagError(name: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError("command line", 0, name === "" ? "" : `--${name}`, problem, { cause });
}

function expandFiles(args: readonly string[], readFile: (path: string) => string): string[] {
  return args.flatMap((arg) => {
    if (!arg.startsWith("@")) return [arg];
    try {
      return readFile(arg.slice(1))
        .split(/\r?\n/)
        .filter((line) => line !== "" && !line.startsWith("#"));
    } catch (error) {
      throw flagError("", `the file with arguments "${arg.slice(1)}" cannot be read`, error);
    }
  });
}

class Parser {
  readonly given = new Map<string, string[]>();
  wish: Wish = "serve";
  readonly #args: readonly string[];
  #at = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  parse(): void {
    while (this.#at < this.#args.length) {
      const arg = this.#args[this.#at++];
      if (arg === "--") {
        if (this.#at < this.#args.length) throw flagError("", `unexpected ${this.#args[this.#at]}`);
      } else if (arg.startsWith("--")) this.#long(arg.slice(2));
      else if (arg === "-h") this.wish = "help";
      else if (arg.startsWith("-") && arg !== "-") throw singleDash(arg.slice(1));
      else throw flagError("", `unexpected ${arg}; flags begin with --`);
    }
  }

  #long(text: string): void {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    if (/^help(?:-long|-man)?$/.test(name) && value === undefined) {
      this.wish = "help";
    } else if (name === "version" && value === undefined) {
      if (this.wish === "serve") this.wish = "version";
    } else this.#flag(name, value);
  }

  #flag(name: string, value: string | undefined): void {
    const inverted = name.startsWith("no-") && !definitions.has(name);
    const flag = definitions.get(inverted ? name.slice(3) : name);
    if (flag === undefined || (inverted && flag.kind !== "bool")) throw unknownFlag(name);
    if (flag.kind !== "bool") return this.#set(flag, value ?? this.#next(flag));
    if (value !== undefined) {
      throw flagError(
        name,
        `unexpected ${value}; a switch takes no value, --no-${flag.name} switches it off`,
      );
    }
    this.#set(flag, inverted ? "false" : "true");
  }

  #next(flag: FlagDefinition): string {
    const next = this.#args[this.#at];
    if (next === undefined || (next.startsWith("-") && next !== "-")) {
      throw flagError(flag.name, `expected argument for flag '--${flag.name}'`);
    }
    this.#at++;
    return next;
  }

  #set(flag: FlagDefinition, text: string): void {
    const existing = this.given.get(flag.name);
    const value = readValue(flag, text);
    if (existing === undefined) this.given.set(flag.name, [value]);
    else if (flag.kind === "texts") existing.push(value);
    else throw flagError(flag.name, `flag '${flag.name}' cannot be repeated`);
  }
}

function readValue(flag: FlagDefinition, text: string): string {
  try {
    if (text === "" && flag.kind !== "text" && flag.kind !== "texts") throw new ParseError("empty value", 0);
    return normaliseFlagValue(flag, text);
  } catch (error) {
    if (error instanceof ParseError) throw flagError(flag.name, error.message, error);
    throw error;
  }
}

function unknownFlag(name: string): ConfigError {
  const replacement = replacementOfRemoved(name);
  if (replacement !== undefined) return flagError(name, `this flag is gone; ${whatInstead(replacement)}`);
  const nearest = nearestName(name, definitions.keys());
  const hint = nearest === undefined ? "; --help lists all flags" : `; did you mean --${nearest}?`;
  return flagError("", `unknown long flag '--${name}'${hint}`);
}

function whatInstead(replacement: string): string {
  const nothing = /^nothing: (.*)/.exec(replacement);
  return nothing === null ? `instead there is ${replacement}` : `it has no successor: ${nothing[1]}`;
}

/** Prometheus 1.x wrote its flags with one dash. */
function singleDash(text: string): ConfigError {
  const name = text.split("=")[0];
  const replacement = replacementOf1x(name);
  if (replacement !== undefined) {
    return flagError("", `-${name} is a flag of Prometheus 1.x; ${whatInstead(replacement)}`);
  }
  if (definitions.has(name)) return flagError("", `-${name}: flags begin with two dashes: --${name}`);
  return flagError("", `unknown short flag '-${text[0]}'; --help lists all flags`);
}

/** What each flag alone cannot say. */
function checkTogether(flags: Flags): void {
  const isAgent = flags.bool("agent");
  const wrong = isAgent ? "server" : "agent";
  for (const { name, mode } of definitions.values()) {
    if (mode === wrong && flags.isGiven(name)) {
      throw flagError(name, isAgent ? "cannot be used in agent mode" : "can only be used in agent mode");
    }
  }
  if (isAgent) throw flagError("agent", "not supported yet: agent mode");
  checkSize(flags, "storage.tsdb.wal-segment-size", 10, 256);
  checkSize(flags, "storage.tsdb.max-block-chunk-segment-size", 1, Number.POSITIVE_INFINITY);
  checkHead(flags);
  const ratio = flags.number("auto-gomemlimit.ratio");
  if (!(ratio > 0 && ratio <= 1))
    throw flagError("auto-gomemlimit.ratio", "must be greater than 0 and at most 1");
  if (flags.number("web.search.max-limit") < 0)
    throw flagError("web.search.max-limit", "must not be negative");
  const features = flags.features();
  if (features.has("otlp-deltatocumulative") && features.has("otlp-native-delta-ingestion")) {
    throw flagError("enable-feature", "otlp-deltatocumulative excludes otlp-native-delta-ingestion");
  }
}

/** Of a size that may be left out: given, it must be within these bounds, in MiB. */
function checkSize(flags: Flags, name: string, minMiB: number, maxMiB: number): void {
  const mebibytes = flags.bytes(name) / 2 ** 20;
  if (mebibytes === 0 || (mebibytes >= minMiB && mebibytes <= maxMiB)) return;
  const wanted = maxMiB === Number.POSITIVE_INFINITY ? "at least" : `${maxMiB}MB at most, and at least`;
  throw flagError(name, `must be ${wanted} ${minMiB}MB`);
}

/** What the head's memory has room for; 0 stands for the default. */
function checkHead(flags: Flags): void {
  const samples = flags.number("storage.tsdb.samples-per-chunk");
  if (samples > 0 && (samples < 4 || samples > samplesPerChunkMax)) {
    throw flagError("storage.tsdb.samples-per-chunk", `must be 4 to ${samplesPerChunkMax}`);
  }
  const rangeMs = flags.durationMs("storage.tsdb.min-block-duration");
  if (rangeMs === 1 || rangeMs > chunkRangeMsMax) {
    throw flagError("storage.tsdb.min-block-duration", "must be 2ms to 49d");
  }
}
