/**
 * The warnings and infos of a query. Equal texts are reported once, with the position of the one added last; only
 * forced monotonicity, which is summed up, keeps that of the first.
 */

import { quote } from "../base/quote.ts";
import { formatGeneral } from "../model/format-float.ts";
import type { Position } from "./parser/ast.ts";

type Severity = "warning" | "info";

interface Annotation {
  readonly severity: Severity;
  readonly position: Position;
  /** What stands behind the text, before the position. */
  readonly details: string;
}

/** Where and how far the buckets of a classic histogram had to be lifted; grows over the steps of a query. */
export interface ForcedMonotonicity {
  bucketMin: number;
  bucketMax: number;
  diffMax: number;
  samples: number;
  mint: number;
  maxt: number;
}

export class Annotations {
  /** Warnings of the storage, which have no place in the query; they come first. */
  readonly ofStorage = new Set<string>();
  #byText = new Map<string, Annotation>();
  #forced = new Map<Position, ForcedMonotonicity>();

  warn(text: string, position: Position): void {
    this.#byText.set(text, { severity: "warning", position, details: "" });
  }

  info(text: string, position: Position): void {
    this.#byText.set(text, { severity: "info", position, details: "" });
  }

  /** Adds one more series and step to what histogram_quantile reports for all of them together. */
  forcedMonotonicity(
    position: Position,
    t: number,
    bucketMin: number,
    bucketMax: number,
    diff: number,
  ): void {
    const known = this.#forced.get(position);
    if (known === undefined) {
      this.#forced.set(position, { bucketMin, bucketMax, diffMax: diff, samples: 1, mint: t, maxt: t });
      return;
    }
    known.bucketMin = Math.min(known.bucketMin, bucketMin);
    known.bucketMax = Math.max(known.bucketMax, bucketMax);
    known.diffMax = Math.max(known.diffMax, diff);
    known.mint = Math.min(known.mint, t);
    known.maxt = Math.max(known.maxt, t);
    known.samples++;
  }

  /** What is added meanwhile stands apart, for {@link append}. */
  apart(evaluate: () => void): Annotations {
    const late = new Annotations();
    [this.#byText, late.#byText] = [late.#byText, this.#byText];
    [this.#forced, late.#forced] = [late.#forced, this.#forced];
    evaluate();
    [this.#byText, late.#byText] = [late.#byText, this.#byText];
    [this.#forced, late.#forced] = [late.#forced, this.#forced];
    return late;
  }

  /** Adds what stood apart, as if it came up now. */
  append(late: Annotations): void {
    for (const [text, annotation] of late.#byText) this.#byText.set(text, annotation);
    for (const [position, forced] of late.#forced) {
      const known = this.#forced.get(position);
      this.#forced.set(position, known === undefined ? forced : mergeForced(known, forced));
    }
  }

  /** The texts as the API shows them, in the order in which they came up. */
  texts(query: string): { warnings: string[]; infos: string[] } {
    this.#reportForced();
    const texts = { warning: [] as string[], info: [] as string[] };
    for (const [text, { severity, position, details }] of this.#byText) {
      texts[severity].push(`PromQL ${severity}: ${text}${details} (${lineAndColumn(query, position)})`);
    }
    return { warnings: [...this.ofStorage, ...texts.warning], infos: texts.info };
  }

  #reportForced(): void {
    const text =
      "input to histogram_quantile needed to be fixed for monotonicity " +
      "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
    const [first] = this.#forced;
    if (first === undefined) return;
    const details = describeForced([...this.#forced.values()].reduce(mergeForced));
    this.#byText.set(text, { severity: "info", position: first[0], details });
    this.#forced.clear();
  }
}

function mergeForced(a: ForcedMonotonicity, b: ForcedMonotonicity): ForcedMonotonicity {
  return {
    bucketMin: Math.min(a.bucketMin, b.bucketMin),
    bucketMax: Math.max(a.bucketMax, b.bucketMax),
    diffMax: Math.max(a.diffMax, b.diffMax),
    samples: a.samples + b.samples,
    mint: Math.min(a.mint, b.mint),
    maxt: Math.max(a.maxt, b.maxt),
  };
}

function describeForced(forced: ForcedMonotonicity): string {
  const buckets = `from buckets ${formatGeneral(forced.bucketMin)} to ${formatGeneral(forced.bucketMax)}`;
  const diff = `with a max diff of ${formatGeneral(forced.diffMax, 2)}`;
  const time = `from ${rfc3339(forced.mint)} to ${rfc3339(forced.maxt)}`;
  return `, ${buckets}, ${diff}, over ${forced.samples} samples ${time}`;
}

/** Whole seconds, cut off towards zero. */
function rfc3339(t: number): string {
  return `${new Date(Math.trunc(t / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** `line:column`, both from 1; the column counts bytes. */
export function lineAndColumn(query: string, position: Position): string {
  const before = query.slice(0, position.start);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return `${line}:${utf8Length(before.slice(lineStart)) + 1}`;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

export const annotationTexts = {
  invalidQuantile: (q: number) => `quantile value should be between 0 and 1, got ${formatGeneral(q)}`,
  badBucketLabel: (le: string) => `bucket label "le" is missing or has a malformed value of ${quote(le)}`,
  histogramIgnored: (aggregation: string) => `ignored histogram in ${aggregation} aggregation`,
  histogramsIgnoredInMixedRange: (name: string) =>
    `ignored histograms in a range containing both floats and histograms for metric name ${quote(name)}`,
  sortInRangeQuery: "sort is ineffective for range queries since results are always ordered by labels",
  possibleNonCounter: (name: string) =>
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(name)}`,
} as const;
