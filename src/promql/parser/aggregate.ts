import type { AggregateExpression, AggregateOp, Expression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseGroupingLabels } from "./grouping.ts";
import type { ParserFeatures } from "./parser.ts";
import type { Token } from "./token.ts";

const surroundings = { within: "aggregation", expected: "" };
const withParameter: ReadonlySet<string> = new Set<AggregateOp>([
  "bottomk",
  "count_values",
  "limit_ratio",
  "limitk",
  "quantile",
  "topk",
]);
const experimental: ReadonlySet<string> = new Set<AggregateOp>(["limit_ratio", "limitk"]);

/** Whether an aggregation takes a parameter before its operand. */
export function hasParameter(op: AggregateOp): boolean {
  return withParameter.has(op);
}

/** Behind the operator: arguments with `by (…)` or `without (…)` before or after them. */
export function parseAggregate(
  cursor: Cursor,
  operator: Token,
  parseArgs: () => Expression[],
  features: ParserFeatures,
): AggregateExpression {
  const op = operator.type as AggregateOp;
  const { args, grouping, without, end } = cursor.within(surroundings, () => {
    const before = parseGrouping(cursor);
    const args = parseArgs();
    const end = cursor.consumed;
    if (before !== undefined) return { args, ...before, end };
    const after = parseGrouping(cursor);
    return after === undefined
      ? { args, grouping: [], without: false, end }
      : { args, ...after, end: cursor.consumed };
  });
  const fail = (problem: string) => cursor.fail(operator.start, problem);
  if (args.length === 0) fail("no arguments for aggregate expression provided");
  if (experimental.has(op) && !features.experimentalFunctions) {
    fail(`${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`);
  }
  const wanted = hasParameter(op) ? 2 : 1;
  if (args.length !== wanted) {
    const got = `expected ${wanted}, got ${args.length}`;
    fail(`wrong number of arguments for aggregate expression provided, ${got}`);
  }
  const param = wanted === 2 ? args[0] : undefined;
  return {
    kind: "aggregate",
    op,
    expr: args[wanted - 1],
    param,
    grouping,
    without,
    start: operator.start,
    end,
  };
}

function parseGrouping(cursor: Cursor): { grouping: string[]; without: boolean } | undefined {
  const { type } = cursor.peek();
  if (type !== "by" && type !== "without") return undefined;
  cursor.next();
  return { grouping: parseGroupingLabels(cursor), without: type === "without" };
}
