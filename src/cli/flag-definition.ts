/**
 * What a command-line flag is. Names, value syntax and defaults are those of Prometheus 3.14; status/flags shows every
 * one of them, so the table (flag-table.ts) holds also those that do nothing here yet.
 */
import { ParseError } from "../base/errors.ts";
import { formatSize, parseSize } from "../config/size.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import { formatGoDuration, parseGoDuration } from "./go-duration.ts";

export type FlagKind =
  | "bool"
  | "text"
  /** May be repeated. */
  | "texts"
  /** "15d", "1h30m" */
  | "duration"
  /** "2ms", "1.5s": the one flag that Prometheus reads with Go's own syntax. */
  | "goDuration"
  /** "512MB" */
  | "size"
  | "int"
  | "float";

export interface FlagDefinition {
  readonly name: string;
  readonly kind: FlagKind;
  readonly help: string;
  /** As text; "" where Prometheus has none. Several for "texts", separated by commas. */
  readonly default: string;
  /** Shown in --help instead of the default. */
  readonly placeholder?: string;
  /** The only values accepted. */
  readonly words?: readonly string[];
  /** Left out of --help, as in Prometheus. */
  readonly hidden?: true;
  /** Only in this mode may it be given. */
  readonly mode?: "server" | "agent";
  /** Accepted, shown, and without effect in this version: the server says so when it is given. */
  readonly noEffectYet?: true;
}

/** The value as Prometheus prints it. Throws a ParseError where the text is not acceptable. */
export function normaliseFlagValue(flag: FlagDefinition, text: string): string {
  const { kind, words } = flag;
  if (words !== undefined && !words.includes(text)) {
    throw new ParseError(`must be one of ${words.join(", ")}, got "${text}"`, 0);
  }
  if (kind === "duration") return formatDuration(text === "" ? 0 : parseDuration(text));
  if (kind === "goDuration") return formatGoDuration(parseGoDuration(text));
  if (kind === "size") return formatSize(text === "" ? 0 : parseSize(text));
  if (kind === "int") return String(Math.trunc(parseNumber(text)));
  return kind === "float" ? String(parseNumber(text)) : text;
}

function parseNumber(text: string): number {
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) {
    throw new ParseError(`"${text}" is not a number`, 0);
  }
  return Number(text);
}
