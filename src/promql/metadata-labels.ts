/** The labels that say what a metric is, and that go when a function or an operator makes something else of it. */
import { Labels, metricName } from "../model/labels.ts";

const underscore = 0x5f;

export function isMetadataLabel(name: string): boolean {
  return name === metricName || name === "__type__" || name === "__unit__";
}

/** Without name, type and unit. */
export function dropMetadata(labels: Labels): Labels {
  const { pairs } = labels;
  // The usual shape: the name first, nothing else that starts with an underscore.
  if (pairs.length > 0 && pairs[0] === metricName && !(pairs.length > 2 && pairs[2].startsWith("_"))) {
    return new Labels(pairs.slice(2));
  }
  return pairs.some((name, i) => i % 2 === 0 && isMetadataLabel(name))
    ? new Labels(pairs.filter((_, i) => !isMetadataLabel(pairs[i - (i % 2)])))
    : labels;
}

export function hasTypeLabels(labels: Labels): boolean {
  const { pairs } = labels;
  for (let i = 0; i < pairs.length && pairs[i].charCodeAt(0) <= underscore; i += 2) {
    if (pairs[i] === "__type__" || pairs[i] === "__unit__") return true;
  }
  return false;
}
