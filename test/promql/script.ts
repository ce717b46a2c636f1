/**
 * Reads scripts of Prometheus's promqltest language: `load`, `clear` and `eval` commands, one after the other, with the
 * expected answer in the lines under an `eval`. Every line is trimmed; an empty line or a comment ends a command.
 */
import { parseDuration } from "../../src/model/duration.ts";
import type { Labels } from "../../src/model/labels.ts";
import { type Point, parseNumber, parseSeriesLine, type SeriesLine } from "./series-notation.ts";

export type Command = ClearCommand | LoadCommand | EvalCommand;

export interface ClearCommand {
  readonly kind: "clear";
}

export interface LoadCommand {
  readonly kind: "load";
  readonly stepMs: number;
  readonly series: readonly SeriesLine[];
  /** The classic histograms among them are also loaded as native ones. */
  readonly withNativeHistograms: boolean;
}

/** Where and when: an instant query has `stepMs` 0 and equal times. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** What a message has to be; undefined: any. */
export type MessageTest = { readonly is: string } | { readonly matches: RegExp } | undefined;

export interface ExpectedSeries {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

export interface EvalCommand {
  readonly kind: "eval";
  /** From 1. */
  readonly line: number;
  readonly query: string;
  readonly isRange: boolean;
  readonly range: QueryRange;
  /** Of the points of a range vector that an instant query answers with. */
  readonly rangeVector: QueryRange | undefined;
  readonly expect: Expectations;
  readonly scalar: number | undefined;
  readonly text: string | undefined;
  readonly series: readonly ExpectedSeries[];
}

export interface Expectations {
  readonly fail: readonly MessageTest[];
  readonly warn: readonly MessageTest[];
  readonly info: readonly MessageTest[];
  readonly no_warn: boolean;
  readonly no_info: boolean;
  readonly ordered: boolean;
}

/** Throws an Error that names the line. */
export function parseScript(text: string): Command[] {
  const lines = text.split("\n").map((line) => (line.trim().startsWith("#") ? "" : line.trim()));
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] === "") continue;
    const first = i;
    while (i + 1 < lines.length && lines[i + 1] !== "" && !endsCommand(lines[i])) i++;
    try {
      commands.push(parseCommand(lines[first], lines.slice(first + 1, i + 1), first + 1));
    } catch (error) {
      throw new Error(`line ${first + 1}: ${(error as Error).message}`, { cause: error });
    }
  }
  return commands;
}

/** Whether the next line is another command even without an empty line between. */
function endsCommand(line: string): boolean {
  return line === "clear" || line.startsWith("expected_fail_") || isNumber(line);
}

function parseCommand(head: string, body: readonly string[], line: number): Command {
  if (head === "clear") return { kind: "clear" };
  if (head.startsWith("load")) return parseLoad(head, body);
  if (head.startsWith("eval")) return parseEval(head, body, line);
  throw new Error(`not a command: ${head}`);
}

function parseLoad(head: string, body: readonly string[]): LoadCommand {
  const found = /^load(_with_nhcb)?\s+(.+)$/.exec(head);
  if (found === null) throw new Error(`load needs a step: ${head}`);
  return {
    kind: "load",
    stepMs: parseDuration(found[2]),
    series: body.filter((row) => !startTimestamps.test(row)).map(parseSeriesLine),
    withNativeHistograms: found[1] !== undefined,
  };
}

/** Start timestamps of the samples in the next line: our storage has none yet, as Prometheus's has none by default. */
const startTimestamps = /^\S*@st\s/;

const instantHead = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/;
const rangeHead = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const rangeVectorLine = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;
const expectLine = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;

function parseEval(head: string, body: readonly string[], line: number): EvalCommand {
  const instant = instantHead.exec(head);
  const range = rangeHead.exec(head);
  if (instant === null && range === null) throw new Error(`not an evaluation: ${head}`);
  const mode = instant?.[1] ?? range?.[1] ?? "";
  const expect = newExpectations(mode);
  let rangeVector: QueryRange | undefined;
  let scalar: number | undefined;
  let text: string | undefined;
  const series: ExpectedSeries[] = [];
  for (const row of body) {
    const vector = rangeVectorLine.exec(row);
    const expected = expectLine.exec(row);
    if (vector !== null) rangeVector = queryRange(vector[1], vector[2], vector[3]);
    else if (row.startsWith("expect string ")) text = unquote(row.slice("expect string ".length));
    else if (row.startsWith("expected_fail_")) expect.fail.splice(0, 1, oldFailure(row));
    else if (expected !== null) addExpectation(expect, expected[1], expected[2], expected[3]);
    else if (isNumber(row)) scalar = parseNumber(row);
    else series.push(parseSeriesLine(row));
  }
  return {
    kind: "eval",
    line,
    query: (instant?.[3] ?? range?.[5]) as string,
    isRange: range !== null,
    range: range === null ? instantOf(instant?.[2] ?? "0") : queryRange(range[2], range[3], range[4]),
    rangeVector,
    expect,
    scalar,
    text,
    series,
  };
}

function instantOf(at: string): QueryRange {
  return { startMs: parseDuration(at), endMs: parseDuration(at), stepMs: 0 };
}

function queryRange(from: string, to: string, step: string): QueryRange {
  return { startMs: parseDuration(from), endMs: parseDuration(to), stepMs: parseDuration(step) };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] };

function newExpectations(mode: string): Writable<Expectations> {
  return {
    fail: mode === "fail" ? [undefined] : [],
    warn: mode === "warn" ? [undefined] : [],
    info: mode === "info" ? [undefined] : [],
    no_warn: false,
    no_info: false,
    ordered: mode === "ordered",
  };
}

function addExpectation(
  expect: Writable<Expectations>,
  type: string,
  how: string | undefined,
  message: string | undefined,
): void {
  switch (type) {
    case "ordered":
    case "no_warn":
    case "no_info":
      expect[type] = true;
      return;
    case "fail":
    case "warn":
    case "info": {
      const wanted = message?.trim() ?? "";
      if (how === undefined) expect[type].push(undefined);
      else expect[type].push(how === "msg" ? { is: wanted } : { matches: new RegExp(wanted) });
    }
  }
}

function oldFailure(row: string): MessageTest {
  const wanted = row.replace(/^\S+\s*/, "");
  return row.startsWith("expected_fail_regexp") ? { matches: new RegExp(wanted) } : { is: wanted };
}

function unquote(quoted: string): string {
  return quoted.startsWith("`") ? quoted.slice(1, -1) : (JSON.parse(quoted) as string);
}

function isNumber(row: string): boolean {
  return /^[-+]?(?:nan|inf|\.?\d\S*)$/i.test(row);
}
