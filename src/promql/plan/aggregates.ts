/** Plans aggregations. Whether one depends on the time is decided by its operand alone, as in Prometheus. */
import { BugError } from "../../base/assert.ts";
import { QueryError } from "../../base/errors.ts";
import { quote } from "../../base/quote.ts";
import { isValidLabelName } from "../../model/relabel.ts";
import { annotationTexts } from "../annotations.ts";
import { AggregateNode, accumulators } from "../operators/aggregate.ts";
import { CountValuesNode } from "../operators/count-values.ts";
import { FloatsOnlyNode, refuseHistograms } from "../operators/floats-only.ts";
import type { ScalarNode, VectorNode } from "../operators/node.ts";
import { QuantileAggregateNode } from "../operators/quantile-aggregate.ts";
import { TopAggregateNode } from "../operators/top-aggregate.ts";
import type { AggregateExpression, Expression } from "../parser/ast.ts";
import { type Planned, scalarOnce } from "./planned.ts";
import { notYet, type Planner, unwrap } from "./planner.ts";
import { type Scope, within } from "./scope.ts";

export function planAggregate(
  planner: Planner,
  expr: AggregateExpression,
  scope: Scope,
): Planned<VectorNode> {
  if (expr.op === "limitk" || expr.op === "limit_ratio") throw notYet(`the aggregation ${expr.op}`);
  const inner = within(scope, expr.op);
  const operand = planner.vector(unwrap(expr.expr), inner);
  return { ...operand, node: aggregate(planner, expr, inner, whatItTakes(expr, operand.node)) };
}

/** Aggregations that a histogram means nothing to, and those that count it like any other element. */
const ofFloats: ReadonlySet<string> = new Set("bottomk max min quantile stddev stdvar topk".split(" "));
const ofAnything: ReadonlySet<string> = new Set("count group".split(" "));

function whatItTakes(expr: AggregateExpression, operand: VectorNode): VectorNode {
  const { op } = expr;
  if (ofAnything.has(op)) return operand;
  if (!ofFloats.has(op)) return refuseHistograms(operand, `the aggregation ${op}`);
  const position = op === "topk" || op === "bottomk" ? expr : expr.expr;
  return new FloatsOnlyNode(operand, (run) =>
    run.annotations.info(annotationTexts.histogramIgnored(op), position),
  );
}

function aggregate(
  planner: Planner,
  expr: AggregateExpression,
  scope: Scope,
  operand: VectorNode,
): VectorNode {
  const grouping = { names: expr.grouping, without: expr.without };
  switch (expr.op) {
    case "topk":
    case "bottomk":
      return new TopAggregateNode(scalarParam(planner, expr, scope), expr.op === "topk", grouping, operand);
    case "quantile": {
      const q = { node: scalarParam(planner, expr, scope), position: param(expr) };
      return new QuantileAggregateNode(q, grouping, operand);
    }
    case "count_values":
      return new CountValuesNode(labelParam(expr), grouping, operand);
    default:
      return new AggregateNode(accumulators[expr.op], grouping, operand);
  }
}

function param(expr: AggregateExpression): Expression {
  if (expr.param === undefined) throw new BugError(`BUG: ${expr.op} without a parameter`);
  return unwrap(expr.param);
}

function scalarParam(planner: Planner, expr: AggregateExpression, scope: Scope): ScalarNode {
  return scalarOnce(planner.scalar(param(expr), scope));
}

function labelParam(expr: AggregateExpression): string {
  const label = param(expr);
  if (label.kind !== "string") throw new BugError("BUG: count_values without a label");
  if (!isValidLabelName(label.value, "utf8")) {
    throw new QueryError("execution", `invalid label name ${quote(label.value)}`);
  }
  return label.value;
}
