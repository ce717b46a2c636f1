/** Random selectors, made from the labels of a series that they select. */
import type { Grammar } from "./grammar.ts";
import { labelName, offset, quoted, range, subqueryRange } from "./literals.ts";
import type { Metric } from "./vocabulary.ts";

export function instantSelector(g: Grammar, metric: Metric = g.metric()): string {
  return plainSelector(g, metric) + modifiers(g);
}

export function matrixSelector(g: Grammar, metric: Metric = g.metric()): string {
  return `${plainSelector(g, metric)}[${range(g)}]${modifiers(g)}`;
}

/** `v[range:step]` */
export function subquery(g: Grammar, inner: string): string {
  const step = g.pick(["", "", "30s", "1m", "17s", "45", "15s", "2m"]);
  g.use(step === "" ? "subquery without step" : "subquery with step");
  const space = g.chance(0.1) ? " " : "";
  // Prometheus takes a negative offset off an `@` in the subquery if the first steps happen to coincide.
  const modified = modifiers(g, !inner.includes("@"));
  return `${inner}[${subqueryRange(g)}${space}:${space}${step}]${modified}`;
}

/** `offset` and `@`, in either order. */
function modifiers(g: Grammar, mayLookAhead = true): string {
  const parts: string[] = [];
  if (g.chance(0.15)) parts.push(offset(g, mayLookAhead));
  if (g.chance(0.1)) parts.push(at(g));
  if (g.chance(0.5)) parts.reverse();
  return parts.map((part) => ` ${part}`).join("");
}

function at(g: Grammar): string {
  const { startMs, endMs } = g.vocabulary;
  const time = ((startMs + (0.2 + g.below(600) / 1000) * (endMs - startMs)) / 1000).toFixed(
    g.pick([0, 0, 1, 3]),
  );
  const text = g.use(g.pick(["@ start()", "@ end()", "@ time", "@ time"]));
  return text === "@ time" ? `@ ${time}` : text;
}

/** A selector without modifiers. */
export function plainSelector(g: Grammar, metric: Metric): string {
  const labels = g.pick(metric.series);
  const matchers = Object.keys(labels)
    .filter(() => g.chance(0.15))
    .map((name) => matcher(g, name, labels[name]));
  if (g.chance(0.08)) matchers.push(matcherOfAbsent(g, labels));
  const isIdentifier = /^[a-zA-Z_:][\w:]*$/.test(metric.name);
  if (isIdentifier && g.chance(0.92)) return `${metric.name}${braces(g, matchers)}`;
  const nameMatcher = g.weighted([
    [1, () => `__name__=${quoted(g, metric.name)}`],
    [1, () => `__name__${g.use("=~")}${quoted(g, escapeRegexp(metric.name))}`],
    [1, () => quoted(g, metric.name)],
  ]);
  matchers.splice(g.below(matchers.length + 1), 0, nameMatcher);
  g.use(nameMatcher.startsWith("__name__") ? "{__name__}" : "{'name'}");
  return braces(g, matchers);
}

function braces(g: Grammar, matchers: readonly string[]): string {
  if (matchers.length === 0) return g.chance(0.03) ? "{}" : "";
  return `{${matchers.join(g.pick([",", ", ", " , "]))}${g.chance(0.05) ? "," : ""}}`;
}

/** A matcher that holds for `value`, with few exceptions. */
function matcher(g: Grammar, name: string, value: string): string {
  const others = (g.vocabulary.labels.get(name) ?? []).filter((other) => other !== value);
  const other = others.length > 0 ? g.pick(others) : "nothing";
  const label = labelName(g, name);
  switch (g.use(g.pick(["{=}", "{!=}", "=~", "!~"]))) {
    case "{=}":
      return `${label}=${quoted(g, value)}`;
    case "{!=}":
      return `${label}!=${quoted(g, g.pick([other, "nothing", ""]))}`;
    case "=~":
      return `${label}=~${quoted(g, patternFor(g, value, other))}`;
    default:
      return `${label}!~${quoted(g, g.pick([escapeRegexp(other), `${escapeRegexp(other)}|nothing`, "nothing.*", "", "[^\\s\\S]"]))}`;
  }
}

function patternFor(g: Grammar, value: string, other: string): string {
  const v = escapeRegexp(value);
  const half = [...value].slice(0, Math.ceil([...value].length / 2)).join("");
  const end = [...value].slice(-2).join("");
  return g.pick([
    v,
    `${v}|${escapeRegexp(other)}`,
    `(${escapeRegexp(other)}|${v})`,
    `${escapeRegexp(half)}.*`,
    `.*${escapeRegexp(end)}`,
    `.*${escapeRegexp(end)}.*`,
    `.+`,
    `.*`,
    `(?i:${v})`,
    `^${v}$`,
    `${escapeRegexp(half)}.+|${v}`,
    `(?:${v}){1,2}`,
    `[${classOf(value)}].*`,
    `|${v}`,
  ]);
}

/** A character class with the first character of the value. */
function classOf(value: string): string {
  const [first = "a"] = [...value];
  return /[a-z0-9]/i.test(first) ? `${first}z` : "^\\n";
}

/** A matcher of a label that the series does not have. */
function matcherOfAbsent(g: Grammar, labels: Readonly<Record<string, string>>): string {
  const names = ["absent", ...g.vocabulary.labels.keys()].filter((name) => labels[name] === undefined);
  const name = labelName(g, g.pick(names));
  return g.pick([`${name}=""`, `${name}!="x"`, `${name}=~"|x"`, `${name}!~".+"`, `${name}=~".*"`]);
}

const escapeRegexp = (text: string) => text.replace(/[\\^$.|?*+()[\]{}-]/g, "\\$&").replace(/\\-/g, "-");
