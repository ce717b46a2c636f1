/** Random aggregations. */
import type { Grammar } from "./grammar.ts";
import { labelList, quoted, someLabels } from "./literals.ts";
import { plainSelector } from "./selectors.ts";

const simple = ["avg", "count", "group", "max", "min", "stddev", "stdvar", "sum"];
const withParameter = ["topk", "bottomk", "quantile", "count_values"];

export function aggregation(g: Grammar, depth: number): string {
  const op = g.pick([...simple, ...simple, ...withParameter]);
  return aggregate(g, op, g.vector(depth - 1), grouping(g));
}

/** ` by (…)`, ` without (…)` or nothing. */
export function grouping(g: Grammar): string {
  if (g.chance(0.25)) return "";
  const word = g.keyword(g.pick(["by", "by", "without"]));
  const names = someLabels(g, 3);
  if (g.chance(0.05)) names.push("__name__");
  return ` ${word} ${labelList(g, names)}`;
}

/** Before or after the arguments, which is the same. */
export function aggregate(g: Grammar, op: string, operand: string, groups: string): string {
  const name = g.keyword(op);
  const param = parameter(g, op);
  const args = `(${param === "" ? "" : `${param}, `}${operand})`;
  return g.chance(0.3) ? `${name}${args}${groups}` : `${name}${groups} ${args}`;
}

function parameter(g: Grammar, op: string): string {
  switch (op) {
    case "topk":
    case "bottomk":
      return g.weighted([
        [8, () => g.pick(["1", "2", "3", "5", "100"])],
        [1, () => g.pick(["0", "-1", "2.9", "0.5"])],
        [1, () => scalarParameter(g)],
      ]);
    case "quantile":
      return quantile(g);
    case "count_values":
      return quoted(g, g.pick(["value", "le", "job", "with.dot", "ü"]));
    default:
      return "";
  }
}

export function quantile(g: Grammar): string {
  return g.weighted([
    [8, () => g.pick(["0.5", "0.9", "0", "1", "0.25", "0.99", "0.333"])],
    [1, () => g.pick(["1.5", "-1", "NaN", "Inf"])],
    [1, () => scalarParameter(g)],
  ]);
}

/** Depends on the time: 3.5 evaluates parameters that do not otherwise, and gets those with `@` wrong. */
function scalarParameter(g: Grammar): string {
  const metric = g.metric("gauge");
  return g.pick([
    `scalar(${plainSelector(g, metric)})`,
    "(time() % 7)",
    "scalar(minute() % 5)",
    `scalar(count(${plainSelector(g, g.metric("counter"))}))`,
  ]);
}
