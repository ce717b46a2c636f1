import type { Labels } from "../../model/labels.ts";
import { quoteJson } from "./json-writer.ts";

/** `{"name":"value",…}` of name, value, name, value …; Prometheus does not escape "<", ">" and "&" here. */
export function pairsJson(pairs: readonly string[]): string {
  let text = "{";
  for (let i = 0; i < pairs.length; i += 2) {
    text += `${i === 0 ? "" : ","}${quoteJson(pairs[i])}:${quoteJson(pairs[i + 1])}`;
  }
  return `${text}}`;
}

export function labelsJson(labels: Labels): string {
  return pairsJson(labels.pairs);
}
