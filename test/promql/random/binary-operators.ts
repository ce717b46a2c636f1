/** Random binary operators, with operands that mostly find each other. */
import { aggregate } from "./aggregations.ts";
import { type Grammar, operand } from "./grammar.ts";
import { labelList, someLabels } from "./literals.ts";
import { instantSelector, plainSelector } from "./selectors.ts";
import type { Metric } from "./vocabulary.ts";

export const arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"];
export const comparisons = ["==", "!=", "<", "<=", ">", ">="];
export const setOperators = ["and", "or", "unless"];

/** An operator between numbers; `mayFilter`: a comparison may also stand without `bool`. */
function operator(g: Grammar, mayFilter: boolean): string {
  if (g.chance(0.55)) return g.use(g.pick(arithmetic));
  const op = g.use(g.pick(comparisons));
  return mayFilter && g.chance(0.6) ? op : `${op} ${g.keyword("bool")}`;
}

export function scalarScalar(g: Grammar, depth: number): string {
  g.use("scalar with scalar");
  return `(${g.scalar(depth - 1)} ${operator(g, false)} ${g.scalar(depth - 1)})`;
}

export function vectorScalar(g: Grammar, depth: number): string {
  const op = operator(g, true);
  if (g.chance(0.6)) {
    g.use("vector with scalar");
    return `${operand(g, depth - 1)} ${op} ${g.scalar(1)}`;
  }
  g.use("scalar with vector");
  return `${g.scalar(1)} ${op} ${operand(g, depth - 1)}`;
}

export function vectorVector(g: Grammar, depth: number): string {
  g.use("vector with vector");
  return g.weighted([
    [3, () => sameGroups(g, depth)],
    [4, () => manyToOne(g, depth)],
    [3, () => twoMetrics(g)],
    [2, () => withItself(g, depth)],
    [2, () => chain(g)],
    [1, () => `${operand(g, depth - 1)} ${operator(g, true)} ${matching(g)} ${operand(g, depth - 1)}`],
  ]);
}

export function setOperation(g: Grammar, depth: number): string {
  const op = g.keyword(g.pick(setOperators));
  const match = g.chance(0.4) ? "" : matching(g);
  const left = g.chance(0.2) ? g.vector(depth - 1) : undefined;
  if (left !== undefined) return `(${left}) ${op} ${match} (${left})`;
  return `${operand(g, depth - 1)} ${op} ${match} ${operand(g, depth - 1)}`;
}

function matching(g: Grammar): string {
  return `${g.keyword(g.pick(["on", "ignoring"]))} ${labelList(g, someLabels(g, 3))}`;
}

/** Both sides aggregated by the same labels. */
function sameGroups(g: Grammar, depth: number): string {
  const names = someLabels(g, 2);
  const side = () =>
    aggregate(
      g,
      g.pick(["sum", "max", "count", "avg"]),
      g.vector(depth - 1),
      ` ${g.keyword("by")} ${labelList(g, names)}`,
    );
  const match = g.chance(0.7) ? "" : `${g.keyword("on")} ${labelList(g, names)}`;
  return `${side()} ${operator(g, true)} ${match} ${side()}`;
}

/** The series of one metric, each with the one element of its group. */
function manyToOne(g: Grammar, depth: number): string {
  const [many, one, include, match] = g.chance(0.4) ? withInfo(g) : withAggregate(g, depth);
  const op = operator(g, true);
  const names = g.chance(0.7) ? include : [];
  const group = (word: string) =>
    `${match} ${g.keyword(word)}${names.length > 0 || g.chance(0.5) ? ` ${labelList(g, names)}` : ""}`;
  if (g.chance(0.5)) return `${many} ${op} ${group("group_left")} ${one}`;
  return `${one} ${op} ${group("group_right")} ${many}`;
}

type Sides = [many: string, one: string, include: string[], match: string];

/** Metadata in the labels of a series whose value is 1, joined by what both have. */
function withInfo(g: Grammar): Sides {
  const info = g.metric("info");
  const metric = g.metric("counter", "gauge");
  const infoLabels = Object.keys(info.series[0]);
  const own = Object.keys(metric.series[0]);
  const shared = infoLabels.filter((name) => own.includes(name));
  const extra = infoLabels.filter((name) => !own.includes(name));
  const different = [...extra, ...own.filter((name) => !infoLabels.includes(name))];
  const match = g.chance(0.5)
    ? `${g.keyword("on")} ${labelList(g, shared)}`
    : `${g.keyword("ignoring")} ${labelList(g, different)}`;
  return [instantSelector(g, metric), plainSelector(g, info), extra.filter(() => g.chance(0.6)), match];
}

function withAggregate(g: Grammar, depth: number): Sides {
  const metric = g.metric();
  const own = Object.keys(g.pick(metric.series));
  const names = own.filter(() => g.chance(1.5 / own.length));
  const one = aggregate(
    g,
    g.pick(["sum", "count", "min"]),
    g.chance(0.5) ? instantSelector(g, metric) : g.vector(depth - 1),
    ` ${g.keyword("by")} ${labelList(g, names)}`,
  );
  return [instantSelector(g, metric), one, [], `${g.keyword("on")} ${labelList(g, names)}`];
}

/** Two metrics whose series have the same labels, or the same but for those that are ignored. */
function twoMetrics(g: Grammar): string {
  const left = g.metric();
  const names = Object.keys(left.series[0]);
  const right = g.pick(alikeTo(g, left));
  const match = g.weighted([
    [3, () => ""],
    [1, () => `${g.keyword("on")} ${labelList(g, names)}`],
    [1, () => `${g.keyword("ignoring")} ${labelList(g, g.chance(0.5) ? [] : ["nothing"])}`],
    [1, () => matching(g)],
  ]);
  return `${instantSelector(g, left)} ${operator(g, true)} ${match} ${instantSelector(g, right)}`;
}

/** Operators in a row without parentheses: which binds how strongly shows in the value. */
function chain(g: Grammar): string {
  g.use("chain");
  const alike = alikeTo(g, g.metric("gauge", "counter"));
  const vector = () => plainSelector(g, g.pick(alike));
  let text = g.chance(0.2) ? `-${vector()}` : vector();
  const links = [
    () => `${g.keyword(g.pick(setOperators))} ${vector()}`,
    () => `${g.use(g.pick(comparisons))} ${g.keyword("bool")} ${vector()}`,
    () => `${g.use(g.pick(arithmetic))} ${vector()}`,
    () => `${g.use(g.pick(arithmetic))} ${g.pick(["2", "0.5", "-3"])}`,
  ];
  for (let i = 2 + g.below(4); i > 0; i--) text += ` ${g.pick(links)()}`;
  return text;
}

/** Metrics whose series have the same labels. */
function alikeTo(g: Grammar, metric: Metric): Metric[] {
  const names = ({ series }: Metric) => Object.keys(series[0]).join();
  return g.vocabulary.metrics.filter((other) => names(other) === names(metric));
}

function withItself(g: Grammar, depth: number): string {
  const same = operand(g, depth - 1);
  return `${same} ${operator(g, true)} ${same}`;
}
