/**
 * The tokens of PromQL. A token's type is its canonical text where it has one ("+", "sum", "group_left"), otherwise the
 * name of its class in capitals. Words are keywords in any case; most of them may also name a metric or a label.
 */
import { encodeUtf8 } from "../../base/bytes.ts";
import { quote } from "../../base/quote.ts";
import type { AggregateOp } from "./ast.ts";

export interface Token {
  readonly type: string;
  /** As written; strings with their quotes. */
  readonly text: string;
  /** UTF-16 index into the query. */
  readonly start: number;
  readonly end: number;
}

export const aggregateOps: ReadonlySet<string> = new Set<AggregateOp>([
  "avg",
  "bottomk",
  "count",
  "count_values",
  "group",
  "limit_ratio",
  "limitk",
  "max",
  "min",
  "quantile",
  "stddev",
  "stdvar",
  "sum",
  "topk",
]);

export const setOps: ReadonlySet<string> = new Set(["and", "or", "unless"]);
export const comparisonOps: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

/** Words that an error message calls a keyword. */
const modifiers = new Set([
  "anchored",
  "bool",
  "by",
  "fill",
  "fill_left",
  "fill_right",
  "group_left",
  "group_right",
  "ignoring",
  "offset",
  "on",
  "smoothed",
  "without",
]);

/** Words that are functions or, in durations and after `@`, stand for something of the query. */
export const preprocessors: ReadonlySet<string> = new Set([
  "end",
  "max_of",
  "min_of",
  "range",
  "start",
  "step",
]);

const operators = new Set([
  "+",
  "-",
  "*",
  "/",
  "%",
  "^",
  "@",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "</",
  ">/",
  "=~",
  "!~",
  "and",
  "or",
  "unless",
  "atan2",
]);

const keywords = new Set([...aggregateOps, ...modifiers, ...preprocessors, ...setOps, "atan2"]);

/** The type of a word, which may contain colons. */
export function typeOfWord(word: string): string {
  const lower = word.toLowerCase();
  if (keywords.has(lower)) return lower;
  if (lower === "inf" || lower === "nan") return "NUMBER";
  return word.includes(":") ? "METRIC_IDENTIFIER" : "IDENTIFIER";
}

const notMetricNames = new Set(["atan2", "bool", "group_left", "group_right", "ignoring", "on"]);

/** Whether a token may name a metric outside of braces. */
export function isMetricName(type: string): boolean {
  return (
    type === "IDENTIFIER" || type === "METRIC_IDENTIFIER" || (keywords.has(type) && !notMetricNames.has(type))
  );
}

/** Whether a token may stand for a label in `by (…)`, `on (…)` and the like. */
export function isGroupingLabel(type: string): boolean {
  return type === "IDENTIFIER" || type === "METRIC_IDENTIFIER" || (keywords.has(type) && type !== "without");
}

/** Whether a token may begin an expression. */
export function startsExpression(type: string): boolean {
  return isMetricName(type) || expressionStarts.has(type);
}

const expressionStarts = new Set(["NUMBER", "DURATION", "STRING", "(", "{", "+", "-"]);

/** How an error message names a token that it did not expect. */
export function describeToken(token: Token): string {
  const { type, text } = token;
  switch (type) {
    case "EOF":
      return "end of input";
    case "IDENTIFIER":
      return `identifier ${quote(text)}`;
    case "METRIC_IDENTIFIER":
      return `metric identifier ${quote(text)}`;
    case "STRING":
      return `string ${shortened(text)}`;
    case "NUMBER":
      return `number ${shortened(text)}`;
    case "DURATION":
      return `duration ${shortened(text)}`;
  }
  if (modifiers.has(type)) return `<${text}>`;
  if (operators.has(type)) return `<op:${text}>`;
  if (aggregateOps.has(type)) return `<aggr:${text}>`;
  return shortened(text);
}

function shortened(text: string): string {
  if (encodeUtf8(text).length <= 10) return quote(text);
  return `${quote([...text].slice(0, 10).join(""))}...`;
}
