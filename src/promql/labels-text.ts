/** Label sets in error messages: all labels in braces, the name too. */
import { quote } from "../base/quote.ts";
import { isLegacyLabelName, type Labels } from "../model/labels.ts";

export function labelsText(labels: Labels): string {
  const parts: string[] = [];
  for (const [name, value] of labels.entries()) {
    parts.push(`${isLegacyLabelName(name) ? name : quote(name)}=${quote(value)}`);
  }
  return `{${parts.join(", ")}}`;
}
