/** Runs a script against an engine, each `eval` in every way in which Prometheus runs it. */
import { metricName } from "../../src/model/labels.ts";
import type { Engine } from "../../src/promql/engine.ts";
import { type ParserFeatures, parseExpression } from "../../src/promql/parser/parser.ts";
import type { QueryResult } from "../../src/promql/result.ts";
import { atVariants } from "./at-variants.ts";
import { checkSorted, compareValue, messageFits, stepOf } from "./compare.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { type EvalCommand, type LoadCommand, type MessageTest, parseScript } from "./script.ts";

export interface ScriptReport {
  passed: number;
  /** By reason. */
  readonly skipped: Map<string, number>;
  /** `line 12: query: what went wrong` */
  readonly failures: string[];
}

/** Why a case is expected to fail; undefined where it has to pass. */
export type SkipRule = (command: EvalCommand) => string | undefined;

/** Everything that a script may use, whether the engine knows it or not. */
const everything: ParserFeatures = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

export function runScript(text: string, engine: Engine, skip: SkipRule): ScriptReport {
  const report: ScriptReport = { passed: 0, skipped: new Map(), failures: [] };
  let storage = new MemoryStorage();
  for (const command of parseScript(text)) {
    if (command.kind === "clear") storage = new MemoryStorage();
    else if (command.kind === "load") load(storage, command);
    else runCase(report, command, engine, storage, skip);
  }
  return report;
}

function load(storage: MemoryStorage, command: LoadCommand): void {
  for (const { labels, points } of command.series) {
    const series = storage.series(labels);
    for (const [i, point] of points.entries()) {
      const t = i * command.stepMs;
      if (point === "histogram") series.histogramTimes.push(t);
      else if (point !== "omitted") series.append(t, point, 0);
    }
    if (!command.withNativeHistograms) continue;
    const base = labels.get(metricName).replace(/_(bucket|count|sum)$/, "");
    const native = storage.series(labels.with(metricName, base).with("le", ""));
    for (const [i, point] of points.entries()) {
      if (point !== "omitted") native.histogramTimes.push(i * command.stepMs);
    }
  }
}

function runCase(
  report: ScriptReport,
  command: EvalCommand,
  engine: Engine,
  storage: MemoryStorage,
  skip: SkipRule,
): void {
  const skipped = (reason: string) => report.skipped.set(reason, (report.skipped.get(reason) ?? 0) + 1);
  const place = `line ${command.line}: ${command.query}`;
  const general = skipExperimental(command) ?? skipHistograms(command);
  if (general !== undefined) return void skipped(general);
  const listed = skip(command);
  try {
    if (command.isRange) runRange(command, engine, storage);
    else runInstant(command, engine, storage);
  } catch (error) {
    const { message } = error as Error;
    if (histogramsNotYet.test(message)) skipped("native histograms");
    else if (listed !== undefined) skipped(listed);
    else report.failures.push(`${place}: ${message}`);
    return;
  }
  if (listed === undefined) report.passed++;
  else report.failures.push(`${place}: passes, but skips.ts says "${listed}"`);
}

/** From our storage or the engine. */
const histogramsNotYet = /native histograms.* (cannot be queried|is not supported) yet/;

/** What only the feature flags of experimental syntax make valid. */
function skipExperimental({ query }: EvalCommand): string | undefined {
  try {
    parseExpression(query);
    return undefined;
  } catch {
    try {
      parseExpression(query, everything);
      return "experimental syntax";
    } catch {
      return undefined;
    }
  }
}

function skipHistograms({ series }: EvalCommand): string | undefined {
  return series.some(({ points }) => points.includes("histogram")) ? "native histograms" : undefined;
}

function runRange(command: EvalCommand, engine: Engine, storage: MemoryStorage): void {
  const { startMs, endMs, stepMs } = command.range;
  const result = attempt(command, () => engine.range(storage, command.query, startMs, endMs, stepMs));
  if (result === undefined) return;
  checkAnnotations(command, result);
  compareValue(command, result.value);
}

const minuteMs = 60_000;

function runInstant(command: EvalCommand, engine: Engine, storage: MemoryStorage): void {
  const t = command.rangeVector?.endMs ?? command.range.startMs;
  const invalid = attempt(command, () => parseExpression(command.query, everything)) === undefined;
  const variants = invalid ? [] : atVariants(command.query, t, everything);
  for (const variant of [{ query: command.query, t }, ...variants]) {
    try {
      runOnce(command, variant.query, variant.t, engine, storage);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(
        variant.query === command.query ? message : `as ${variant.query} at ${variant.t}: ${message}`,
      );
    }
  }
}

function runOnce(
  command: EvalCommand,
  query: string,
  t: number,
  engine: Engine,
  storage: MemoryStorage,
): void {
  const result = attempt(command, () => engine.instant(storage, query, t));
  if (result === undefined) return;
  checkAnnotations(command, result);
  compareValue(command, result.value);
  const dependsOnRange = /(start|end|range|step)\(\)/.test(query);
  if (command.rangeVector !== undefined || command.text !== undefined || dependsOnRange) return;
  const { value } = engine.range(storage, query, t - minuteMs, t + minuteMs, minuteMs);
  if (command.expect.ordered) return;
  if (value.type !== "matrix" || value.form !== "grid") throw new Error(`a range query gave a ${value.type}`);
  checkSorted(value.labels);
  try {
    compareValue(command, stepOf(value, 1, result.value.type === "scalar"));
  } catch (error) {
    throw new Error(`as a step of a range query: ${(error as Error).message}`);
  }
}

/** The result; undefined where a failure was expected and came. */
function attempt<T>(command: EvalCommand, run: () => T): T | undefined {
  const { fail } = command.expect;
  let result: T;
  try {
    result = run();
  } catch (error) {
    const { message } = error as Error;
    if (fail.length === 0 || histogramsNotYet.test(message)) throw error;
    if (fail.every((test) => messageFits(test, message))) return undefined;
    throw new Error(`failed as expected, but with another message: ${message}`);
  }
  // A query that is only parsed may still fail when it is run.
  if (fail.length > 0 && isResult(result)) throw new Error("expected it to fail");
  return result;
}

function isResult(result: unknown): boolean {
  return typeof result === "object" && result !== null && "stats" in result;
}

function checkAnnotations({ expect }: EvalCommand, { warnings, infos }: QueryResult): void {
  if (expect.no_warn && warnings.length > 0) throw new Error(`unexpected warnings: ${warnings.join("; ")}`);
  if (expect.no_info && infos.length > 0) throw new Error(`unexpected infos: ${infos.join("; ")}`);
  checkMessages("warning", expect.warn, warnings);
  checkMessages("info", expect.info, infos);
}

/** Each test has its message, each message its test; without any test nothing is checked. */
function checkMessages(what: string, tests: readonly MessageTest[], messages: readonly string[]): void {
  if (tests.length === 0) return;
  const unmet = tests.some((test) => !messages.some((message) => messageFits(test, message)));
  const surplus = messages.some((message) => !tests.some((test) => messageFits(test, message)));
  if (unmet || surplus) throw new Error(`not the expected ${what}: ${messages.join("; ") || "none"}`);
}
