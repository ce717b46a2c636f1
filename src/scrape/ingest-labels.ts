/**
 * From the labels that a page gives a series to those it is stored under: the target's labels join, metric relabelling
 * rewrites or drops, and what results must be valid and within the limits.
 */
import { encodeUtf8 } from "../base/bytes.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/strings.ts";
import { isLegacyMetricName, Labels, metricName } from "../model/labels.ts";
import { LabelsBuilder } from "../model/labels-builder.ts";
import { isValidLabelName, relabelBuilder } from "../model/relabel.ts";
import type { TargetSettings } from "./sink.ts";

/** A page broke a rule that is not its format's: the whole scrape fails. */
export class PageRefusedError extends Error {
  override name = "PageRefusedError";
  /** Which counter it adds to, if any. */
  readonly limit: "label" | "sample" | undefined;

  constructor(message: string, limit?: "label" | "sample") {
    super(message);
    this.limit = limit;
  }
}

const exportedPrefix = "exported_";

export class SeriesLabels {
  readonly #settings: TargetSettings;
  readonly #target: readonly (readonly [string, string])[];
  readonly #targetPairs: readonly string[];

  constructor(settings: TargetSettings) {
    this.#settings = settings;
    const target: [string, string][] = [];
    for (let i = 0; i < settings.labels.length; i += 2) {
      const name = settings.labels[i];
      if (!name.startsWith("__")) target.push([name, settings.labels[i + 1]]);
    }
    this.#target = target;
    this.#targetPairs = Labels.of(target).pairs;
  }

  /** Of a series that the scrape itself makes, such as `up`. */
  ofReport(name: string): Labels {
    return Labels.of([[metricName, name], ...this.#target]);
  }

  /**
   * `exposed` is what a parser gives (name, value, …, sorted; names may repeat). Undefined where relabelling drops the
   * series; throws a {@link PageRefusedError} where it may not be stored.
   */
  ofSample(exposed: readonly string[]): Labels | undefined {
    if (this.#settings.metricRelabel.length === 0) {
      const merged = mergePairs(exposed, this.#targetPairs);
      if (merged !== undefined) {
        const labels = new Labels(merged);
        this.#check(labels);
        return labels;
      }
    }
    const first = firstOfEachName(exposed);
    const builder = new LabelsBuilder(first);
    if (this.#settings.honorLabels) this.#addMissing(builder, exposed);
    else this.#addAll(builder, exposed);
    if (!relabelBuilder(builder, this.#settings.metricRelabel)) return undefined;
    const labels = builder.labels();
    if (labels.size === 0) return undefined;
    this.#check(labels);
    return labels;
  }

  /** A label that the page shows, even an empty one, keeps the target's away. */
  #addMissing(builder: LabelsBuilder, exposed: readonly string[]): void {
    for (const [name, value] of this.#target) {
      if (indexOfName(exposed, name) < 0) builder.set(name, value);
    }
  }

  /** The target's labels win; what they replace gets a name of its own. */
  #addAll(builder: LabelsBuilder, exposed: readonly string[]): void {
    const replaced: [string, string][] = [];
    for (const [name, value] of this.#target) {
      const at = indexOfName(exposed, name);
      const before = at < 0 ? "" : exposed[at + 1];
      if (before !== "") replaced.push([name, before]);
      builder.set(name, value);
    }
    replaced.sort(([a], [b]) => encodeUtf8(a).length - encodeUtf8(b).length);
    for (const [name, value] of replaced) {
      let free = exportedPrefix + name;
      while (builder.get(free) !== "") free = exportedPrefix + free;
      builder.set(free, value);
    }
  }

  #check(labels: Labels): void {
    const { validationScheme } = this.#settings;
    if (!labels.has(metricName)) throw new PageRefusedError(`missing metric name (${metricName} label)`);
    const { pairs } = labels;
    let valid = validationScheme === "utf8" || isLegacyMetricName(labels.get(metricName));
    for (let i = 0; i < pairs.length; i += 2) valid &&= isValidLabelName(pairs[i], validationScheme);
    if (!valid) throw new PageRefusedError(`invalid metric name or label names: ${labels}`);
    this.#checkLimits(labels);
  }

  #checkLimits(labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = this.#settings;
    if (labelLimit === 0 && labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
    const metric = `metric: ${cut(labels.get(metricName))}`;
    if (labelLimit > 0 && labels.size > labelLimit) {
      throw new PageRefusedError(
        `label_limit exceeded (${metric}, number of labels: ${labels.size}, limit: ${labelLimit})`,
        "label",
      );
    }
    for (const [name, value] of labels.entries()) {
      const place = `${metric}, label name: ${cut(name)}`;
      const nameLength = encodeUtf8(name).length;
      if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
        throw new PageRefusedError(
          `label_name_length_limit exceeded (${place}, length: ${nameLength}, limit: ${labelNameLengthLimit})`,
          "label",
        );
      }
      const valueLength = encodeUtf8(value).length;
      if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
        throw new PageRefusedError(
          `label_value_length_limit exceeded (${place}, value: ${quote(cut(value))}, length: ${valueLength}, limit: ${labelValueLengthLimit})`,
          "label",
        );
      }
    }
  }

  /**
   * Throws a {@link PageRefusedError} where a name stands twice on the line, unless a label of the target's or a rule put
   * an end to it. To be asked before the series is created: Prometheus notices only then.
   */
  refuseRepeated(exposed: readonly string[], labels: Labels): void {
    for (let i = 2; i < exposed.length; i += 2) {
      const name = exposed[i];
      const replaced = !this.#settings.honorLabels && this.#target.some(([own]) => own === name);
      if (name !== exposed[i - 2] || replaced || !labels.has(name)) continue;
      throw new PageRefusedError(`label name ${quote(name)} is not unique: invalid sample`);
    }
  }
}

/** Both sorted, in one, without empty values; undefined where a name occurs twice. */
function mergePairs(a: readonly string[], b: readonly string[]): string[] | undefined {
  const merged: string[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    if (i > 0 && a[i] === a[i - 2]) return undefined;
    for (; j < b.length; j += 2) {
      const order = compareUtf8(b[j], a[i]);
      if (order > 0) break;
      if (order === 0) return undefined;
      merged.push(b[j], b[j + 1]);
    }
    if (a[i + 1] !== "") merged.push(a[i], a[i + 1]);
  }
  for (; j < b.length; j += 2) merged.push(b[j], b[j + 1]);
  return merged;
}

/** Each name once, with its first value; none of those that anywhere have an empty one. */
function firstOfEachName(exposed: readonly string[]): Labels {
  const pairs: string[] = [];
  for (let i = 0; i < exposed.length; ) {
    const first = i;
    let empty = false;
    for (; i < exposed.length && exposed[i] === exposed[first]; i += 2) empty ||= exposed[i + 1] === "";
    if (!empty) pairs.push(exposed[first], exposed[first + 1]);
  }
  return new Labels(pairs);
}

function indexOfName(pairs: readonly string[], name: string): number {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return i;
  return -1;
}

/** The first 50 characters. */
function cut(text: string): string {
  return text.length <= 50 ? text : [...text.slice(0, 100)].slice(0, 50).join("");
}

/** For an exemplar: sorted pairs, empty values left out. */
export function exemplarLabels(pairs: readonly string[]): Labels {
  const kept: [string, string][] = [];
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i + 1] !== "") kept.push([pairs[i], pairs[i + 1]]);
  return new Labels(kept.sort(([a], [b]) => compareUtf8(a, b)).flat());
}
