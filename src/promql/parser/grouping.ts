import { quote } from "../../base/quote.ts";
import type { Cursor } from "./cursor.ts";
import { unquote } from "./string-literal.ts";
import { isGroupingLabel } from "./token.ts";

const opening = { within: "grouping opts", expected: '"("' };
const label = { within: "grouping opts", expected: "label" };
const separator = { within: "grouping opts", expected: '"," or ")"' };

/** `(label, "another label", …)`, with or without a comma at the end. */
export function parseGroupingLabels(cursor: Cursor): string[] {
  if (cursor.accept("(") === undefined) return cursor.unexpected(opening);
  const labels: string[] = [];
  while (cursor.accept(")") === undefined) {
    labels.push(parseGroupingLabel(cursor));
    if (cursor.accept(",") !== undefined) continue;
    if (cursor.accept(")") !== undefined) break;
    return cursor.unexpected(separator);
  }
  return labels;
}

function parseGroupingLabel(cursor: Cursor): string {
  const { type } = cursor.peek();
  if (type !== "STRING" && !isGroupingLabel(type)) return cursor.unexpected(label);
  const token = cursor.next();
  const name = type === "STRING" ? unquote(token.text) : token.text;
  if (name === "") cursor.fail(token.start, `invalid label name for grouping: ${quote(name)}`);
  return name;
}
