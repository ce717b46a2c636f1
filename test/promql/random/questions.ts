/** Random questions to the query API: an expression, and when it is asked for. */
import type { RandomExpression, RandomExpressions } from "./random-expression.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface Question {
  /** Below /api/v1/. */
  readonly path: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

export const describeQuestion = ({ path, parameters }: Question) =>
  `${path}?${parameters.map(([name, value]) => `${name}=${value}`).join("&")}`;

/** "" where it is not given. */
export const parameterOf = ({ parameters }: Question, name: string) =>
  parameters.find(([key]) => key === name)?.[1] ?? "";

const seconds = (ms: number) => String(ms / 1000);

export function instantQuestion(g: RandomExpressions, { text }: RandomExpression): Question {
  const { startMs, endMs } = g.vocabulary;
  const minutes = 5 + g.below((endMs - startMs) / 60_000 - 5);
  const near = startMs + minutes * 60_000 + g.pick([0, 0, g.below(60_000), 15_000, 1]);
  const t = g.chance(0.03) ? g.pick([0, -1500, startMs - 1, endMs + 600_000, 4e12]) : near;
  return { path: "query", parameters: [["query", text], ["time", seconds(t)], ...options(g)] };
}

export function rangeQuestion(g: RandomExpressions, { text }: RandomExpression): Question {
  const [start, end, step] = g.pick(spans(g.vocabulary, g.below(1000)));
  return {
    path: "query_range",
    parameters: [
      ["query", text],
      ["start", seconds(start)],
      ["end", seconds(end)],
      ["step", seconds(step)],
      ...options(g),
    ],
  };
}

/** Start, end and step, which divide the span or do not, meet the samples or do not. */
function spans({ startMs, endMs }: Vocabulary, oddMs: number): [number, number, number][] {
  const middle = Math.round((startMs + endMs) / 120_000) * 60_000;
  const minute = 60_000;
  return [
    [startMs - minute, endMs + minute, 117_000],
    [startMs - minute, endMs + minute, 117_000],
    [startMs, endMs, 60_000],
    [startMs + oddMs, endMs - 3 * oddMs, 44_321],
    [middle - 5 * minute, middle + 5 * minute, 15_000],
    [middle + oddMs, middle + oddMs + 3 * minute, 7_300],
    [middle, middle + 20_000, 250],
    [middle + oddMs, middle + oddMs, 60_000],
    [middle, middle + minute, 5 * minute],
    [middle - 20 * minute, middle, 10 * minute],
  ];
}

/** Parameters that most questions do without. */
function options(g: RandomExpressions): [string, string][] {
  const given: [string, string][] = [];
  if (g.chance(0.08)) given.push(["lookback_delta", g.pick(["1m", "10", "15m", "12.345", "1ms"])]);
  if (g.chance(0.03)) given.push(["limit", g.pick(["1", "3", "100"])]);
  if (g.chance(0.05)) given.push(["timeout", "100s"]);
  if (g.chance(0.2)) given.push(["stats", "all"]);
  return given;
}
