/** Random function calls. Every function of the language has a rule here, or a reason why it has none. */
import { functions } from "../../../src/promql/parser/functions.ts";
import { quantile } from "./aggregations.ts";
import { type Grammar, operand } from "./grammar.ts";
import { quoted } from "./literals.ts";
import { instantSelector, matrixSelector, plainSelector } from "./selectors.ts";

/** Functions that are not compared, each with the reason. */
export const notCompared: Readonly<Record<string, string>> = {
  first_over_time: "unknown to Prometheus 3.5",
  ...Object.fromEntries(
    ["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"].map(
      (name) => [name, "of native histograms, which a later version brings"],
    ),
  ),
};

const compared = [...functions.values()].filter(
  ({ name, experimental }) => !experimental && notCompared[name] === undefined,
);

/** The names of all functions that random expressions use. */
export const functionNames: readonly string[] = compared.map(({ name }) => name);

type Rule = (g: Grammar, depth: number) => string;

const vector: Rule = (g, depth) => g.vector(depth - 1);

/** The arguments of functions for which it matters what they are. */
const argumentsOf: Readonly<Record<string, Rule>> = {
  absent: (g, depth) => (g.chance(0.7) ? absentSelector(g) : vector(g, depth)),
  absent_over_time: (g, depth) =>
    g.chance(0.7) ? `${absentSelector(g)}[${g.pick(["1m", "5m"])}]` : g.matrix(depth - 1),
  clamp: (g, depth) => `${vector(g, depth)}, ${g.scalar(1)}, ${g.scalar(1)}`,
  clamp_max: (g, depth) => `${vector(g, depth)}, ${g.scalar(1)}`,
  clamp_min: (g, depth) => `${vector(g, depth)}, ${g.scalar(1)}`,
  histogram_fraction: fraction,
  histogram_quantile: (g, depth) => `${quantile(g)}, ${buckets(g, depth)}`,
  label_join: labelJoin,
  label_replace: labelReplace,
  pi: () => "",
  predict_linear: (g, depth) =>
    `${g.matrix(depth - 1)}, ${g.chance(0.6) ? g.pick(["60", "3600", "-10", "1h"]) : g.scalar(1)}`,
  quantile_over_time: (g, depth) => `${quantile(g)}, ${g.matrix(depth - 1)}`,
  round: (g, depth) => `${vector(g, depth)}${g.chance(0.5) ? "" : `, ${g.scalar(1)}`}`,
  time: () => "",
  timestamp: (g, depth) => (g.chance(0.6) ? instantSelector(g) : vector(g, depth)),
  vector: (g) => g.scalar(2),
};

const dates = new Set("day_of_month day_of_week day_of_year days_in_month hour minute month year".split(" "));
const rates = new Set("rate increase irate resets changes".split(" "));
const narrow = new Set("acos acosh asin atanh".split(" "));

/** A call of a function that returns a vector. */
export function vectorCall(g: Grammar, depth: number): string {
  const { name, argTypes } = g.pick(compared.filter(({ returnType }) => returnType === "vector"));
  return call(g, name, depth, argTypes[0] === "matrix" ? matrixArgument : vectorArgument);
}

/** A function of a range vector alone: the most common kind. */
export function rangeCall(g: Grammar, depth: number): string {
  const { name } = g.pick(compared.filter(({ argTypes }) => argTypes.join() === "matrix"));
  return call(g, name, depth, matrixArgument);
}

export function scalarCall(g: Grammar, depth: number): string {
  const { name } = g.pick(compared.filter(({ returnType }) => returnType === "scalar"));
  return call(g, name, depth, vectorArgument);
}

type Argument = (g: Grammar, depth: number, name: string) => string;

function call(g: Grammar, name: string, depth: number, argument: Argument): string {
  const args = argumentsOf[name]?.(g, depth) ?? argument(g, depth, name);
  return `${g.use(name)}(${args})`;
}

function vectorArgument(g: Grammar, depth: number, name: string): string {
  if (dates.has(name) && g.chance(0.6)) return g.chance(0.5) ? "" : `${operand(g, depth - 1)} * 1e5`;
  // Their domain is -1 to 1, or from 1 on.
  if (narrow.has(name) && g.chance(0.6))
    return `sin(${g.vector(depth - 1)})${name === "acosh" ? " + 2" : ""}`;
  return g.vector(depth - 1);
}

function matrixArgument(g: Grammar, depth: number, name: string): string {
  if (rates.has(name) && g.chance(0.6)) return matrixSelector(g, g.metric("counter", "buckets"));
  return g.matrix(depth - 1);
}

/** A selector that selects nothing, and from which some labels can be read. */
function absentSelector(g: Grammar): string {
  const metric = g.metric();
  return g.pick([
    "nothing",
    `nothing{a="b",c=~"d"}`,
    `nothing{a="b",a="c",${quoted(g, "x.y")}="z"}`,
    plainSelector(g, { ...metric, name: "nothing" }),
    `{a="1"}`,
  ]);
}

function buckets(g: Grammar, depth: number): string {
  const metric = g.metric("buckets");
  const rate = () => `${g.use("rate")}(${matrixSelector(g, metric)})`;
  return g.weighted([
    [2, () => instantSelector(g, metric)],
    [3, rate],
    [
      3,
      () =>
        `${g.use("sum")} ${g.use("by")} (${g.pick(["le", "le, job", "le, instance", "le, method"])}) (${rate()})`,
    ],
    [1, () => `${g.use("sum")} ${g.use("without")} (${g.pick(["instance", "method"])}) (${metric.name})`],
    [1, () => `${g.use("avg")} ${g.use("by")} (le) (${metric.name})`],
    [1, () => g.vector(depth - 1)],
  ]);
}

/** Bounds inside the first bucket are left out: what 3.14 makes of them, 3.5 answers with NaN. */
function fraction(g: Grammar): string {
  const metric = g.pick(
    g.vocabulary.metrics.filter(({ name }) => name === "http_request_duration_seconds_bucket"),
  );
  const lower = g.pick(["0.005", "0.1", "0.2", "1", "-Inf", "+Inf", "7"]);
  const upper = g.pick(["0.2", "0.7", "1", "2", "10", "+Inf", "11", "-Inf"]);
  const rate = `${g.use("rate")}(${plainSelector(g, metric)}[${g.pick(["2m", "5m"])}])`;
  const vectors = [rate, `sum by (le) (${rate})`, `sum by (le, job) (${metric.name})`, metric.name];
  return `${lower}, ${upper}, ${g.pick(vectors)}`;
}

const targets = ["job", "new", "instance", "code", "with.dot", "__name__", "ünï"];
const replacements = ["x-$1", "$1", "", "c", "${1}$2", "$0", "a$$b", "${name}", "$1$3"];
const patterns = [
  "(.*)",
  "(.)(.*)",
  "",
  "(?P<name>[a-z]+).*",
  "(a|b|svc-\\d+)(.*)",
  ".*",
  "10\\.(.+)",
  "(?i)(SVC).*",
  "nothing",
];

function labelReplace(g: Grammar, depth: number): string {
  const source = g.chance(0.9) ? g.pick(["job", "instance", "__name__", "cluster", "code"]) : "absent";
  const texts = [g.pick(targets), g.pick(replacements), source, g.pick(patterns)].map((text) =>
    quoted(g, text),
  );
  return `${vector(g, depth)}, ${texts.join(", ")}`;
}

function labelJoin(g: Grammar, depth: number): string {
  const sources = [...g.vocabulary.labels.keys()].filter(() => g.chance(0.15));
  const texts = [g.pick(targets), g.pick(["-", "", ", "]), ...sources.slice(0, 3)].map((text) =>
    quoted(g, text),
  );
  return `${vector(g, depth)}, ${texts.join(", ")}`;
}
