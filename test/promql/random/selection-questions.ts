/** Random questions about series and labels, without their samples. */
import { labelName } from "./literals.ts";
import type { Question } from "./questions.ts";
import type { RandomExpressions } from "./random-expression.ts";
import { plainSelector } from "./selectors.ts";

/**
 * `anyTime`: also of a part of the time. What is then found depends on where the storage has its borders: of blocks,
 * and of the chunks of a series.
 */
export function selectionQuestion(g: RandomExpressions, anyTime: boolean): Question {
  const parameters: [string, string][] = [];
  const path = g.pick(["series", "series", "labels", "label"]);
  for (let i = g.pick(path === "series" ? [1, 1, 2, 3] : [0, 1, 1, 2]); i > 0; i--) {
    parameters.push(["match[]", plainSelector(g, g.metric())]);
  }
  if (anyTime) parameters.push(...span(g));
  // Which values of a label a limit leaves depends on the order in which Prometheus's head met them.
  if (path !== "label" && g.chance(0.3)) parameters.push(["limit", String(1 + g.below(12))]);
  return { path: path === "label" ? `label/${labelPath(g)}/values` : path, parameters };
}

/** Of any label, also one that nobody has. */
function labelPath(g: RandomExpressions): string {
  const name = g.pick([...g.vocabulary.labels.keys(), "__name__", "absent"]);
  return encodeURIComponent(labelName(g, name) === name ? name : `U__${escapedName(name)}`);
}

/** As a name has to be written where only letters, digits and underscores may stand. */
const escapedName = (name: string) =>
  [...name]
    .map((char) => (/\w/.test(char) ? char.replace("_", "__") : `_${char.codePointAt(0)?.toString(16)}_`))
    .join("");

function span(g: RandomExpressions): [string, string][] {
  const { startMs, endMs } = g.vocabulary;
  if (g.chance(0.3)) return [];
  const start = startMs + g.below(1.2 * (endMs - startMs)) - 0.1 * (endMs - startMs);
  const end = start + g.pick([0, 1000, 60_000, 600_000, 3_600_000]);
  return [
    ["start", String(Math.round(start) / 1000)],
    ["end", String(Math.round(end) / 1000)],
  ];
}
