/** An appender over a Map: the simplest thing that keeps the contract, with one chunk range of 2 hours. */

import type { Histogram } from "../../src/model/histogram.ts";
import { Labels } from "../../src/model/labels.ts";
import { type Appender, type Exemplar, Outcome, type SeriesRef } from "../../src/storage/appender.ts";
import { seriesText } from "../series-text.ts";

interface MemorySeries {
  readonly labels: Labels;
  /** Time and bits of the value. */
  samples: { readonly t: number; readonly bits: bigint }[];
  readonly exemplars: Exemplar[];
}

interface Staged {
  readonly ref: SeriesRef;
  readonly t: number;
  readonly bits: bigint;
}

const halfRangeMs = 3_600_000;
const utf8 = new TextDecoder();

export class MemoryAppender implements Appender {
  readonly #series: MemorySeries[] = [];
  readonly #refs = new Map<string, SeriesRef>();
  #staged: Staged[] = [];
  #stagedExemplars: { readonly ref: SeriesRef; readonly exemplar: Exemplar }[] = [];
  #maxTime = Number.NEGATIVE_INFINITY;
  #minValidTime: number | undefined;
  /** The samples that are histograms, from when they are staged; among the others they stand with their sums. */
  readonly histograms: { readonly ref: SeriesRef; readonly t: number; readonly histogram: Histogram }[] = [];
  /** Thrown by the next commit. */
  commitError: Error | undefined;

  /** What was committed: series as printed, with `time:value` of each sample. */
  contents(print: (labels: Labels) => string = seriesText): Record<string, string> {
    const value = (bits: bigint) => `${new Float64Array(BigUint64Array.of(bits).buffer)[0]}`;
    return Object.fromEntries(
      this.#series.map(({ labels, samples }) => [
        print(labels),
        samples.map(({ t, bits }) => `${t}:${value(bits)}`).join(" "),
      ]),
    );
  }

  bitsOf(labels: Labels): bigint[] {
    return this.#at(this.#refs.get(labels.key) as SeriesRef).samples.map(({ bits }) => bits);
  }

  exemplarsOf(labels: Labels): readonly Exemplar[] {
    return this.#at(this.#refs.get(labels.key) as SeriesRef).exemplars;
  }

  readonly refusal = undefined;
  readonly saturated = "";

  series(labels: Labels): SeriesRef {
    let ref = this.#refs.get(labels.key);
    if (ref === undefined) {
      ref = this.#series.push({ labels, samples: [], exemplars: [] });
      this.#refs.set(labels.key, ref);
    }
    return ref;
  }

  /** Understands short labels only: everything else is unknown, which is always allowed. */
  findByLabelBytes(bytes: Uint8Array, start: number, end: number): SeriesRef {
    const pairs: string[] = [];
    for (let at = start; at < end; ) {
      const nameEnd = at + 4 + bytes[at + 3];
      const fieldEnd = at + 2 + bytes[at + 1];
      if (bytes[at] !== 0x0a || bytes[at + 1] > 127 || bytes[at + 2] !== 0x0a) return 0;
      if (bytes[nameEnd] !== 0x12 || nameEnd + 2 + bytes[nameEnd + 1] !== fieldEnd) return 0;
      pairs.push(
        utf8.decode(bytes.subarray(at + 4, nameEnd)),
        utf8.decode(bytes.subarray(nameEnd + 2, fieldEnd)),
      );
      at = fieldEnd;
    }
    return this.#refs.get(new Labels(pairs).key) ?? 0;
  }

  seriesByLabelBytes(): SeriesRef {
    throw new Error("for those who have the head's memory only");
  }

  isLive(ref: SeriesRef): boolean {
    return ref > 0 && ref <= this.#series.length;
  }

  labels(ref: SeriesRef): Labels {
    return this.#at(ref).labels;
  }

  lastValue(ref: SeriesRef): number {
    const { bits } = this.#at(ref).samples.at(-1) as { bits: bigint };
    return new Float64Array(BigUint64Array.of(bits).buffer)[0];
  }

  append(refs: Uint32Array, t: Float64Array, v: Float64Array, n: number, outcomes: Uint8Array): number {
    const bits = new BigUint64Array(v.buffer, v.byteOffset, v.length);
    this.#minValidTime ??= this.#maxTime - halfRangeMs;
    let refused = 0;
    for (let i = 0; i < n; i++) {
      outcomes[i] = this.#judge(refs[i], t[i], bits[i]);
      if (outcomes[i] === Outcome.ok) this.#staged.push({ ref: refs[i], t: t[i], bits: bits[i] });
      else refused++;
    }
    return refused;
  }

  appendHistogram(ref: SeriesRef, t: number, histogram: Histogram): Outcome {
    this.#minValidTime ??= this.#maxTime - halfRangeMs;
    const bits = new BigUint64Array(Float64Array.of(histogram.sum).buffer)[0];
    const outcome = this.#judge(ref, t, bits);
    if (outcome !== Outcome.ok) return outcome;
    this.#staged.push({ ref, t, bits });
    this.histograms.push({ ref, t, histogram });
    return outcome;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): Outcome {
    const last = this.#at(ref).exemplars.at(-1);
    if (last !== undefined && exemplar.t < last.t) return Outcome.outOfOrder;
    this.#stagedExemplars.push({ ref, exemplar });
    return Outcome.ok;
  }

  setMetadata(): void {}

  commit(): void {
    const error = this.commitError;
    if (error !== undefined) {
      this.rollback();
      this.commitError = undefined;
      throw error;
    }
    for (const { ref, t, bits } of this.#staged) {
      const { samples } = this.#at(ref);
      if (t <= (samples.at(-1)?.t ?? Number.NEGATIVE_INFINITY)) continue;
      samples.push({ t, bits });
      this.#maxTime = Math.max(this.#maxTime, t);
    }
    for (const { ref, exemplar } of this.#stagedExemplars) this.#at(ref).exemplars.push(exemplar);
    this.rollback();
  }

  rollback(): void {
    this.#staged = [];
    this.#stagedExemplars = [];
    this.#minValidTime = undefined;
  }

  #judge(ref: SeriesRef, t: number, bits: bigint): Outcome {
    if (t < (this.#minValidTime as number)) return Outcome.outOfBounds;
    const last = this.#at(ref).samples.at(-1);
    if (last === undefined || t > last.t) return Outcome.ok;
    if (t < last.t) return Outcome.outOfOrder;
    return bits === last.bits ? Outcome.duplicate : Outcome.duplicateTimestamp;
  }

  #at(ref: SeriesRef): MemorySeries {
    return this.#series[ref - 1];
  }
}
