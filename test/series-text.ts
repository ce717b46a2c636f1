/** A label set as tests write it: `name{label="value"}`, the way it stands in a query or on a scraped page. */
import { quote } from "../src/base/quote.ts";
import { isLegacyLabelName, isLegacyMetricName, type Labels, metricName } from "../src/model/labels.ts";

export function seriesText(labels: Labels): string {
  let name = "";
  const parts: string[] = [];
  for (const [label, value] of labels.entries()) {
    if (label === metricName && isLegacyMetricName(value)) name = value;
    else if (label === metricName) parts.unshift(quote(value));
    else parts.push(`${isLegacyLabelName(label) ? label : quote(label)}=${quote(value)}`);
  }
  return parts.length === 0 && name !== "" ? name : `${name}{${parts.join(", ")}}`;
}
