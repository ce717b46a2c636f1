/** Plans function calls. */
import { BugError } from "../../base/assert.ts";
import { ParseError, QueryError } from "../../base/errors.ts";
import { Labels } from "../../model/labels.ts";
import { CapturingRegexp } from "../../model/regexp.ts";
import { isValidLabelName } from "../../model/relabel.ts";
import { elementwiseFunctions } from "../functions/elementwise.ts";
import { presence, rangeFunctions } from "../functions/range-functions.ts";
import { AbsentNode, absentLabels } from "../operators/absent.ts";
import {
  HistogramFractionNode,
  type HistogramOperand,
  HistogramQuantileNode,
} from "../operators/classic-histogram.ts";
import { FloatsOnlyNode, refuseHistograms } from "../operators/floats-only.ts";
import { HistogramValueNode, histogramValues } from "../operators/histogram-value.ts";
import {
  type ChangeLabels,
  LabelFunctionNode,
  labelJoin,
  labelReplace,
} from "../operators/label-functions.ts";
import type { ScalarNode, VectorNode } from "../operators/node.ts";
import { RangeCallNode } from "../operators/range-call.ts";
import { NumberNode, ScalarOfVectorNode, TimeNode } from "../operators/scalars.ts";
import { SortNode } from "../operators/sort.ts";
import { SampleTimeNode, StepTimeNode, VectorCallNode } from "../operators/vector-call.ts";
import { DateOfTimeNode, VectorOfScalarNode } from "../operators/vectors.ts";
import { type CallExpression, type Expression, typeOf } from "../parser/ast.ts";
import { Arguments } from "./arguments.ts";
import { invariant, type Planned, varying } from "./planned.ts";
import { notYet, type Planner, unwrap } from "./planner.ts";
import { type Scope, within } from "./scope.ts";

/** The result depends on the evaluation time even if no argument does. */
const timeDependent: ReadonlySet<string> = new Set(
  "day_of_month day_of_week day_of_year days_in_month hour minute month predict_linear time timestamp year".split(
    " ",
  ),
);

/** Of the buckets of native histograms: not yet. */
const bucketFunctions: ReadonlySet<string> = new Set("histogram_stddev histogram_stdvar".split(" "));

export function planVectorCall(planner: Planner, call: CallExpression, scope: Scope): Planned<VectorNode> {
  const { name, experimental } = call.func;
  if (experimental) throw notYet(`the experimental function "${name}"`);
  if (bucketFunctions.has(name)) throw notYet(`the function "${name}", which works on native histograms,`);
  const inner = within(scope, name);
  if (name === "timestamp") return planTimestamp(planner, call, inner);
  const args = new Arguments(planner, call, inner, timeDependent.has(name));
  const node = vectorCall(call, args);
  return args.invariant ? invariant(node) : varying(node);
}

export function planScalarCall(planner: Planner, call: CallExpression, scope: Scope): Planned<ScalarNode> {
  const { name, experimental } = call.func;
  if (experimental) throw notYet(`the experimental function "${name}"`);
  const args = new Arguments(planner, call, within(scope, name), timeDependent.has(name));
  const node = scalarCall(name, args);
  return args.invariant ? invariant(node) : varying(node);
}

function scalarCall(name: string, args: Arguments): ScalarNode {
  switch (name) {
    case "pi":
      return new NumberNode(Math.PI);
    case "time":
      return new TimeNode();
    case "scalar":
      return new ScalarOfVectorNode(new FloatsOnlyNode(args.vector(0)));
    default:
      throw new BugError(`BUG: no function "${name}"`);
  }
}

function vectorCall(call: CallExpression, args: Arguments): VectorNode {
  const { name } = call.func;
  const kernel = elementwiseFunctions[name];
  if (kernel !== undefined) {
    if (args.count === 0) return new DateOfTimeNode(kernel);
    const params = Array.from({ length: args.count - 1 }, (_, i) => args.scalar(i + 1));
    return new VectorCallNode(kernel, new FloatsOnlyNode(args.vector(0)), params);
  }
  const value = histogramValues[name];
  if (value !== undefined) return new HistogramValueNode(value, args.vector(0));
  if (rangeFunctions[name] !== undefined) return rangeCall(call, args);
  switch (name) {
    case "absent":
      return new AbsentNode(labelsOfAbsent(args.expr(0)), args.vector(0), false);
    case "absent_over_time":
      return new AbsentNode(
        labelsOfAbsent(args.expr(0)),
        new RangeCallNode(name, presence, args.range(0), undefined),
        true,
      );
    case "histogram_quantile":
      return new HistogramQuantileNode(args.placed(0), classicHistograms(name, args, 1));
    case "histogram_fraction":
      return new HistogramFractionNode(args.placed(0), args.placed(1), classicHistograms(name, args, 2));
    case "label_replace":
      return new LabelFunctionNode(planLabelReplace(args), args.vector(0));
    case "label_join":
      return new LabelFunctionNode(planLabelJoin(args), args.vector(0));
    case "sort":
    case "sort_desc":
      return new SortNode(name === "sort_desc", new FloatsOnlyNode(args.vector(0)), call);
    case "vector":
      return new VectorOfScalarNode(args.scalar(0));
    default:
      throw new BugError(`BUG: no function "${name}"`);
  }
}

/** One argument is the range vector, the other, if there is one, a scalar; in either order. */
function rangeCall(call: CallExpression, args: Arguments): VectorNode {
  const index = call.args.findIndex((arg) => typeOf(arg) === "matrix");
  const param = args.count === 2 ? args.placed(1 - index) : undefined;
  const { name } = call.func;
  return new RangeCallNode(name, rangeFunctions[name], args.range(index), param);
}

function classicHistograms(name: string, args: Arguments, index: number): HistogramOperand {
  const node = refuseHistograms(args.vector(index), `the function "${name}"`);
  return { node, position: args.expr(index) };
}

/** Of a selector the samples' own times, of anything else the times of the steps. */
function planTimestamp(planner: Planner, call: CallExpression, scope: Scope): Planned<VectorNode> {
  const operand = unwrap(call.args[0]);
  if (operand.kind === "vectorSelector") {
    const times = planner.instantSelector(operand, scope, true);
    return { ...times, node: new SampleTimeNode(times.node) };
  }
  const args = new Arguments(planner, call, scope, true);
  return varying(new StepTimeNode(args.vector(0)));
}

function labelsOfAbsent(expr: Expression): Labels {
  if (expr.kind === "vectorSelector") return absentLabels(expr.matchers);
  return expr.kind === "matrixSelector" ? absentLabels(expr.selector.matchers) : Labels.empty;
}

function planLabelReplace(args: Arguments): ChangeLabels {
  const [target, replacement, source, pattern] = [1, 2, 3, 4].map((i) => args.text(i));
  const regexp = compile(pattern);
  checkLabelName(target, "invalid destination label name in label_replace()");
  return labelReplace(target, replacement, source, regexp);
}

function compile(pattern: string): CapturingRegexp {
  try {
    return new CapturingRegexp(pattern);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new QueryError("execution", `invalid regular expression in label_replace(): ${pattern}`, {
      cause: error,
    });
  }
}

function planLabelJoin(args: Arguments): ChangeLabels {
  const sources = Array.from({ length: args.count - 3 }, (_, i) => args.text(i + 3));
  for (const source of sources) checkLabelName(source, "invalid source label name in label_join()");
  checkLabelName(args.text(1), "invalid destination label name in label_join()");
  return labelJoin(args.text(1), args.text(2), sources);
}

function checkLabelName(name: string, problem: string): void {
  if (!isValidLabelName(name, "utf8")) throw new QueryError("execution", `${problem}: ${name}`);
}
