/**
 * The receiver of remote write 1.0, in the thread that owns the head: takes a body as it came over the wire, appends
 * what is in it as one batch and says what to answer. One bad sample rolls back the whole request, as in Prometheus:
 * the sender is told so by a 400 and will not repeat it. Only new series that the storage refuses are left out without
 * that: what belongs to known series is stored, and the 400 says how many were refused and why.
 *
 * Not taken yet: remote write 2.0 (415) and native histograms (400).
 */
import type { BlockCodec } from "../base/codec.ts";
import type { Clock, Logger } from "../base/env.ts";
import { NarthexError, ParseError } from "../base/errors.ts";
import type { WriteMemory } from "../kernels/write-memory.ts";
import { formatGeneral } from "../model/format-float.ts";
import { histogramProblem } from "../model/validate-histogram.ts";
import { type Appender, Outcome, refusedSeries } from "../storage/appender.ts";
import { readHistograms } from "./request-histograms.ts";
import { readExemplars, readLabels } from "./request-labels.ts";
import {
  bodyBytesMax,
  noContent,
  refuseContentType,
  refuseEncoding,
  retryLater,
  textAnswer,
  type WriteAnswer,
  type WriteHeaders,
} from "./write-protocol.ts";
import { WriteRequest } from "./write-request.ts";

export interface WriteReceiverEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly snappy: BlockCodec;
}

/** Samples may be this far ahead of our clock. */
const aheadMsMax = 10 * 60 * 1000;

/** Counts since the start, for the metrics page. */
export interface WriteReceiverStats {
  requests: number;
  samples: number;
  /** Of series whose labels are not acceptable: Prometheus counts the series. */
  invalidLabels: number;
  outOfOrderExemplars: number;
  /** New series that the storage did not take. */
  seriesRefused: number;
  /** Requests of which nothing was stored because the memory was full. */
  refusedForMemory: number;
}

/** A sample or series that fails the request; its message is the answer. */
class RefusedError extends Error {
  override name = "RefusedError";
}

const tooFarAhead = "out of bounds: timestamp is too far in the future";

/** What the sender is told of a sample; "" where it was stored, or was there already. */
const outcomeTexts: Readonly<Record<Outcome, string>> = {
  [Outcome.ok]: "",
  [Outcome.duplicate]: "",
  [Outcome.outOfOrder]: "out of order sample",
  [Outcome.outOfBounds]: "out of bounds",
  [Outcome.tooOld]: "too old sample",
  [Outcome.duplicateTimestamp]: "duplicate sample for timestamp",
};

export class WriteReceiver {
  readonly #env: WriteReceiverEnv;
  readonly #appender: Appender;
  readonly #memory: WriteMemory | undefined;
  readonly #request = new WriteRequest();
  /** Of the samples of a request, parallel to its columns. */
  #refs = new Uint32Array(1024);
  #outcomes = new Uint8Array(1024);
  readonly stats: WriteReceiverStats = {
    requests: 0,
    samples: 0,
    invalidLabels: 0,
    outOfOrderExemplars: 0,
    seriesRefused: 0,
    refusedForMemory: 0,
  };

  /** `memory` lies in the head of the appender. Without it every request goes the long way. */
  constructor(env: WriteReceiverEnv, appender: Appender, memory?: WriteMemory) {
    this.#env = env;
    this.#appender = appender;
    this.#memory = memory;
  }

  /** Never throws for anything the sender did; nothing of a request that is refused stays behind. */
  receive(body: Uint8Array, headers: WriteHeaders): WriteAnswer {
    this.stats.requests++;
    const encoding = refuseEncoding(headers.contentEncoding);
    if (encoding !== undefined) return encoding;
    if (body.length > bodyBytesMax) {
      return textAnswer(413, `request body exceeds the ${bodyBytesMax} bytes limit`);
    }
    const declared = declaredBytes(body);
    if (declared > bodyBytesMax)
      return textAnswer(400, `decoded size exceeds the ${bodyBytesMax} bytes limit`);
    if (declared < 0 || declared > expansionMax * body.length) return corrupt;
    const memory = this.#memory;
    if (memory?.decode(body, declared)) {
      return refuseContentType(headers.contentType) ?? this.#storeUsual(memory);
    }
    const message = this.#decompress(body);
    if (message === undefined) return corrupt;
    return refuseContentType(headers.contentType) ?? this.#store(message);
  }

  #decompress(body: Uint8Array): Uint8Array | undefined {
    try {
      return this.#env.snappy.decompress(body, bodyBytesMax);
    } catch {
      // Whatever the codec says: the sender knows it by the name of "corrupt".
      return undefined;
    }
  }

  /** The short way: columns that a kernel fills, where it can. */
  #storeUsual(memory: WriteMemory): WriteAnswer {
    if (!memory.scan() || memory.maxTime > this.#latest()) return this.#store(memory.copyMessage());
    return this.#commit(() => {
      memory.createUnknown((bytes, start, end) => this.#appender.seriesByLabelBytes(bytes, start, end));
      const { refs, times, values, outcomes } = memory;
      const samples = this.#appender.refusal === undefined ? memory.samples : memory.drop(refusedSeries);
      this.#stage(refs, times, values, samples, outcomes);
      return samples;
    });
  }

  /** The long way, on which everything is understood and every refusal has its words. */
  #store(message: Uint8Array): WriteAnswer {
    return this.#commit(() => {
      this.#request.decode(message);
      return this.#append();
    });
  }

  /** Commits what `append` stages, unless it throws; it returns how many samples that are. */
  #commit(append: () => number): WriteAnswer {
    let samples: number;
    try {
      samples = append();
    } catch (error) {
      this.#appender.rollback();
      if (error instanceof ParseError || error instanceof RefusedError) return textAnswer(400, error.message);
      return this.#failed(error);
    }
    const { refusal } = this.#appender;
    try {
      this.#appender.commit();
    } catch (error) {
      return this.#failed(error);
    }
    this.stats.samples += samples;
    if (refusal === undefined) return noContent;
    this.stats.seriesRefused += refusal.count;
    return textAnswer(
      400,
      `${refusal.count} new series were refused: ${refusal.reason}; of known series, ${samples} samples were stored`,
    );
  }

  /** Nothing that the sender did: it shall try again. */
  #failed(error: unknown): WriteAnswer {
    if (!(error instanceof NarthexError)) throw error;
    if (error.code === "MEMORY") {
      this.stats.refusedForMemory++;
      return retryLater(error.message);
    }
    this.#env.logger.error("A remote-write request could not be stored", { error: error.message });
    return retryLater(error.message);
  }

  /** Stages series by series, up to the first sample that is refused; returns how many samples that were. */
  #append(): number {
    const request = this.#request;
    const { firstSample } = request;
    if (this.#refs.length < request.samples) {
      this.#refs = new Uint32Array(request.t.length);
      this.#outcomes = new Uint8Array(request.t.length);
    }
    const latest = this.#latest();
    /** Samples whose columns are filled, and those of them that are staged. */
    let filled = 0;
    let staged = 0;
    let histograms = 0;
    for (let i = 0; i < request.series; i++) {
      const from = firstSample[i];
      const to = firstSample[i + 1];
      const ref = this.#series(i, latest);
      if (ref === invalid || ref === refusedSeries) continue;
      for (let k = from; k < to; k++) {
        if (request.t[k] > latest) {
          this.#stageRequest(staged, filled);
          throw new RefusedError(tooFarAhead);
        }
        this.#refs[filled] = ref;
        if (filled !== k) this.#moveSample(k, filled);
        filled++;
      }
      if (request.exemplars[i] > 0) this.#exemplars(i, ref, latest);
      if (request.histograms[i] > 0) {
        // The samples of one series are staged in their order.
        this.#stageRequest(staged, filled);
        staged = filled;
        histograms += this.#stageHistograms(i, ref, latest);
      }
    }
    this.#stageRequest(staged, filled);
    return filled + histograms;
  }

  /** Stages the native histograms of series `i`, up to the first that is refused; returns how many. */
  #stageHistograms(i: number, ref: number, latest: number): number {
    const histograms = readHistograms(this.#request, i);
    for (const { t, histogram } of histograms) {
      if (t > latest) throw new RefusedError(tooFarAhead);
      const problem = histogram.isStale ? "" : histogramProblem(histogram);
      if (problem !== "") throw new RefusedError(problem);
      const refused = outcomeTexts[this.#appender.appendHistogram(ref, t, histogram)];
      if (refused === "") continue;
      this.#env.logger.error("Out of order histogram from remote write", {
        error: refused,
        series: `${this.#appender.labels(ref)}`,
        timestamp: t,
      });
      throw new RefusedError(refused);
    }
    return histograms.length;
  }

  #latest(): number {
    return this.#env.clock.nowMs() + aheadMsMax;
  }

  /** The ref of series `i`; {@link noSeries} where nothing is to be stored for it, {@link invalid} and refusedSeries to pass over it. */
  #series(i: number, latest: number): number {
    const request = this.#request;
    const start = request.labelsStart[i];
    const end = request.labelsEnd[i];
    const known = end > start ? this.#appender.findByLabelBytes(request.bytes, start, end) : noSeries;
    if (known !== noSeries) return known;
    const { labels, problem } = readLabels(request, i);
    if (problem !== "") {
      this.stats.invalidLabels++;
      this.#env.logger.warn(problem, { got: `${labels}` });
      return invalid;
    }
    const first = request.firstSample[i];
    const hasSample = first < request.firstSample[i + 1] && request.t[first] <= latest;
    const isWanted = hasSample || (first === request.firstSample[i + 1] && request.histograms[i] > 0);
    return isWanted ? this.#appender.series(labels) : noSeries;
  }

  /** Closes the gap that samples of invalid series leave. */
  #moveSample(from: number, to: number): void {
    const { t, vWords } = this.#request;
    t[to] = t[from];
    vWords[2 * to] = vWords[2 * from];
    vWords[2 * to + 1] = vWords[2 * from + 1];
  }

  /** Stages the filled samples [from, to). */
  #stageRequest(from: number, to: number): void {
    const { t, v } = this.#request;
    if (to === from) return;
    this.#stage(
      this.#refs.subarray(from, to),
      t.subarray(from, to),
      v.subarray(from, to),
      to - from,
      this.#outcomes,
    );
  }

  #stage(refs: Uint32Array, t: Float64Array, v: Float64Array, count: number, outcomes: Uint8Array): void {
    if (this.#appender.append(refs, t, v, count, outcomes) === 0) return;
    for (let k = 0; k < count; k++) {
      const ref = refs[k];
      const problem = this.#problemOf(outcomes[k] as Outcome, ref, t[k], v[k]);
      if (problem === "") continue;
      this.#env.logger.error("Out of order sample from remote write", {
        error: problem,
        series: `${this.#appender.labels(ref)}`,
        timestamp: t[k],
      });
      throw new RefusedError(problem);
    }
  }

  #problemOf(outcome: Outcome, ref: number, t: number, v: number): string {
    if (outcome !== Outcome.duplicateTimestamp || t === 0) return outcomeTexts[outcome];
    const existing = formatGeneral(this.#appender.lastValue(ref));
    const values = `existing ${existing}, new value ${formatGeneral(v)}`;
    return `duplicate sample for timestamp ${t}; overrides not allowed: ${values}`;
  }

  /** What is wrong with an exemplar never fails a request. */
  #exemplars(i: number, ref: number, latest: number): void {
    for (const exemplar of readExemplars(this.#request, i)) {
      if (ref === noSeries || exemplar.t > latest) continue;
      const outcome = this.#appender.appendExemplar(ref, exemplar);
      if (outcome === Outcome.outOfOrder) this.stats.outOfOrderExemplars++;
    }
  }
}

const corrupt = textAnswer(400, "s2: corrupt input");
/** The densest element of snappy is a copy: 3 bytes for 64. */
const expansionMax = 22;
const noSeries = 0;
const invalid = -1;

/** The length in front of a snappy block; -1 where there is none. */
function declaredBytes(block: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    length += (block[i] & 0x7f) * 2 ** (7 * i);
    if (block[i] < 0x80) return length > 0xffffffff ? -1 : length;
  }
  return -1;
}
