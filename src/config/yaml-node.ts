/**
 * A YAML file as the configuration reads it: every value knows its file, line and dotted key, and is read as the type
 * that its key wants. A value that is not acceptable is a ConfigError. An empty value (`key:`) means the zero of the
 * wanted type, as it does in Prometheus.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from "yaml";
import { ConfigError, ParseError } from "../base/errors.ts";
import { nearestName } from "../base/nearest.ts";
import { parseDuration } from "../model/duration.ts";
import { parseSize } from "./size.ts";
import { isNullWord, plainBoolean, plainNumber } from "./yaml-scalar.ts";

/** Aliases and merges may repeat parts of a file, but not without bound: "a billion laughs" ends here. */
const expansionsMax = 10_000;

interface SourceFile {
  readonly file: string;
  readonly lines: LineCounter;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Node, Node>;
  expansions: number;
}

/** What to do with the value of a key. */
export type FieldReaders = Readonly<Record<string, (value: ConfigNode) => void>>;

/** Reads the first document of a YAML file. Throws a ConfigError where it is not UTF-8 or not YAML. */
export function parseYaml(content: Uint8Array | string, file: string): ConfigNode {
  const text = typeof content === "string" ? content : decodeStrictly(content, file);
  const lines = new LineCounter();
  let document: Document.Parsed | undefined;
  let targets: ReadonlyMap<Node, Node>;
  try {
    [document] = parseAllDocuments(text, {
      schema: "failsafe",
      version: "1.1",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
    });
    targets = document === undefined ? new Map() : aliasTargets(document);
  } catch (error) {
    // The parser is recursive: thousands of values within each other exhaust the stack.
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(
      file,
      1,
      "",
      "this is not YAML that can be read: its values lie too deep in each other",
    );
  }
  const error = document?.errors[0];
  if (error !== undefined) {
    throw new ConfigError(file, lines.linePos(error.pos[0]).line, "", `this is not YAML: ${error.message}`);
  }
  const source = { file, lines, targets, expansions: 0 };
  return new ConfigNode(source, document?.contents ?? undefined, "", 1);
}

export class ConfigNode {
  readonly #source: SourceFile;
  readonly #node: Node | undefined;
  /** Dotted path: `scrape_configs[0].job_name`. */
  readonly key: string;
  readonly line: number;

  constructor(source: SourceFile, node: Node | undefined, key: string, line: number) {
    this.#source = source;
    this.#node = resolveAlias(source, node, key);
    this.key = key;
    this.line = line;
  }

  get file(): string {
    return this.#source.file;
  }

  error(problem: string, cause?: unknown): ConfigError {
    return new ConfigError(this.file, this.line, this.key, problem, { cause });
  }

  /** Refuses something that Prometheus knows and this version does not do. */
  notYet(what: string): ConfigError {
    return this.error(`not supported yet: ${what}; take this out to start without it`);
  }

  get isNull(): boolean {
    const node = this.#node;
    if (node === undefined) return true;
    return isScalar(node) && this.#isPlain() && isNullWord(String(node.value));
  }

  /** Nothing that could have an effect: no value, "", [] or {}. */
  get isEmpty(): boolean {
    const node = this.#node;
    if (this.isNull) return true;
    return isScalar(node) ? node.value === "" : (isMap(node) || isSeq(node)) && node.items.length === 0;
  }

  #isPlain(): boolean {
    const node = this.#node;
    return isScalar(node) && node.type === "PLAIN" && node.tag !== "tag:yaml.org,2002:str";
  }

  #scalar(wanted: string): string {
    if (!isScalar(this.#node)) throw this.error(`${wanted} expected, found ${this.#kind()}`);
    if (this.#node.tag === "tag:yaml.org,2002:binary")
      throw this.error(`${wanted} expected, found binary data`);
    return String(this.#node.value);
  }

  #kind(): string {
    if (isMap(this.#node)) return "a mapping";
    return isSeq(this.#node) ? "a list" : `"${String((this.#node as { value?: unknown })?.value)}"`;
  }

  text(): string {
    return this.isNull ? "" : this.#scalar("text");
  }

  boolean(): boolean {
    if (this.isNull) return false;
    const value = this.#isPlain() ? plainBoolean(this.#scalar("true or false")) : undefined;
    if (value === undefined) throw this.error(`true or false expected, found ${this.#kind()}`);
    return value;
  }

  number(): number {
    if (this.isNull) return 0;
    const value = this.#isPlain() ? plainNumber(this.#scalar("a number")) : undefined;
    if (value === undefined) throw this.error(`a number expected, found ${this.#kind()}`);
    return value;
  }

  /** A whole number; fractions are cut off, as Prometheus cuts them. */
  integer(): number {
    const value = Math.trunc(this.number());
    if (!Number.isSafeInteger(value)) throw this.error("a whole number of at most 2^53 - 1 expected");
    return value;
  }

  /** A whole number >= 0. */
  count(): number {
    const value = this.integer();
    if (value < 0) throw this.error(`a number >= 0 expected, found ${value}`);
    return value;
  }

  durationMs(): number {
    return this.isNull ? 0 : this.attempt(() => parseDuration(this.#scalar("a duration")));
  }

  bytes(): number {
    return this.isNull ? 0 : this.attempt(() => parseSize(this.#scalar("a size")));
  }

  /** Exactly one of the words. */
  oneOf<T extends string>(words: readonly T[]): T {
    const text = this.text();
    if (!words.includes(text as T)) {
      throw this.error(`one of ${words.map((word) => `"${word}"`).join(", ")} expected, found "${text}"`);
    }
    return text as T;
  }

  /** The result of `action`; a ParseError becomes a ConfigError here. */
  attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof ParseError) throw this.error(error.message, error);
      throw error;
    }
  }

  /** Empty for an empty value. */
  items(): ConfigNode[] {
    if (this.isNull) return [];
    if (!isSeq(this.#node)) throw this.error(`a list expected, found ${this.#kind()}`);
    return this.#node.items.map((item, i) => this.#child(item as Node, `${this.key}[${i}]`));
  }

  texts(): string[] {
    return this.items().map((item) => item.text());
  }

  /** Keys and values of a mapping with free keys; empty for an empty value. */
  entries(): [string, ConfigNode][] {
    return this.isNull ? [] : this.#pairs(this.key, new Set());
  }

  /** Reads a mapping whose keys are known; any other key is an error. Does nothing for an empty value. */
  readFields(readers: FieldReaders): void {
    const prefix = this.key === "" ? "" : `${this.key}.`;
    for (const [name, value] of this.entries()) {
      const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (reader === undefined) {
        const nearest = nearestName(name, Object.keys(readers));
        const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
        throw new ConfigError(this.file, value.line, prefix + name, `unknown key${hint}`);
      }
      reader(value);
    }
  }

  /** The pairs in the order in which they take effect: what a merge (`<<`) brings stands where the merge stands. */
  #pairs(key: string, merging: Set<Node>): [string, ConfigNode][] {
    const node = this.#node;
    if (!isMap(node)) throw this.error(`a mapping expected, found ${this.#kind()}`);
    if (merging.has(node)) throw this.error("the mapping contains itself");
    merging.add(node);
    const seen = new Set<string>();
    const pairs: [string, ConfigNode][] = [];
    for (const pair of node.items) {
      const name = this.#child(pair.key as Node, key);
      const text = name.text();
      const value = new ConfigNode(
        this.#source,
        (pair.value ?? undefined) as Node | undefined,
        key === "" ? text : `${key}.${text}`,
        name.line,
      );
      if (text === "<<" && name.#isPlain()) {
        pairs.push(...value.#merged(key, merging));
        continue;
      }
      if (seen.has(text)) throw value.error("the key is set twice");
      seen.add(text);
      pairs.push([text, value]);
    }
    merging.delete(node);
    return pairs;
  }

  #merged(key: string, merging: Set<Node>): [string, ConfigNode][] {
    if (isMap(this.#node)) return this.#pairs(key, merging);
    if (!isSeq(this.#node)) throw this.error("a merge wants a mapping or a list of mappings");
    // Of several merged mappings the earlier ones take precedence: they come last.
    return this.items()
      .reverse()
      .flatMap((item) => item.#pairs(key, merging));
  }

  #child(node: Node | null | undefined, key: string): ConfigNode {
    const source = this.#source;
    const start = node?.range?.[0];
    const line = start === undefined ? this.line : source.lines.linePos(start).line;
    return new ConfigNode(source, node ?? undefined, key, line);
  }
}

function decodeStrictly(content: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    throw new ConfigError(file, 1, "", "this is not valid UTF-8", { cause: error });
  }
}

/** An alias means the last node before it that has its anchor. */
function aliasTargets(document: Document.Parsed): Map<Node, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchored.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return targets;
}

function resolveAlias(source: SourceFile, node: Node | undefined, key: string): Node | undefined {
  if (!isAlias(node)) return node;
  const line = node.range ? source.lines.linePos(node.range[0]).line : 1;
  if (++source.expansions > expansionsMax) {
    throw new ConfigError(source.file, line, key, `more than ${expansionsMax} uses of aliases`);
  }
  const target = source.targets.get(node);
  if (target === undefined) throw new ConfigError(source.file, line, key, `unknown anchor "${node.source}"`);
  return target;
}
