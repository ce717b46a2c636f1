/**
 * Histogram chunks: encoding 2 with integer counts, 3 with float counts; 5 and 6 the same with start timestamps
 * (start-times.ts): their flags are the two high bits of the count, and the third byte is the header of the start timestamps.
 *
 *   u16 count · u8 flags · layout (histogram-layout.ts) · sample 0 · sample 1 …
 *
 *   flags, the two high bits: 00 nothing is known · 10 the counter was reset at the chunk's begin · 01 it was not · 11 gauge
 *
 *   integer, sample 0    varbit t · unsigned varbit count · unsigned varbit zero count · 64 bits sum ·
 *                        varbit differences from bucket to bucket
 *            the others  varbit dod of t, count, zero count · XOR of the sum · varbit dod of each of those differences
 *   float, sample 0      varbit t · 64 bits of count, zero count, sum and each bucket
 *            the others  varbit dod of t · XOR of count, zero count, sum, each bucket
 *
 * (dod: the difference of differences.) A staleness marker has no buckets; only such may follow one.
 */
import { assert } from "../base/assert.ts";
import { Histogram, ResetHint, staleHistogram } from "../model/histogram.ts";
import { BitReader } from "./bit-reader.ts";
import { BitWriter } from "./bit-writer.ts";
import {
  chunkSamples,
  type Encoding,
  hasStartTimes,
  isFloatHistogramEncoding,
  isHistogramEncoding,
} from "./encoding.ts";
import { type Expansion, expandCounter, expandGauge, spread } from "./histogram-expand.ts";
import {
  bucketCounts,
  emptyLayout,
  type HistogramLayout,
  hasSameBounds,
  layoutOf,
  readLayout,
  writeLayout,
} from "./histogram-layout.ts";
import { FloatHistogramState, type HistogramState, IntegerHistogramState } from "./histogram-state.ts";
import { StartTimes } from "./start-times.ts";
import { maxSamplesPerChunk } from "./xor.ts";

/** What the header says of the chunk's begin. */
const Flags = { unknown: 0, notReset: 0x40, reset: 0x80, gauge: 0xc0, mask: 0xc0 } as const;
type Flags = (typeof Flags)[keyof typeof Flags];

const flagsByte = 2;
/** Of encodings with start timestamps, whose flags are in the first byte. */
const startsByte = 2;
const headerBytes = 3;

/** With start timestamps the flags take two bits of the count. */
const maxSamplesWithStarts = 0x3fff;

/** Where decoded histograms go: a SampleColumns of storage/ is one. */
export interface HistogramSink {
  /** `start`: since when it counts, 0 for not known. */
  pushHistogram(t: number, histogram: Histogram, start: number): void;
}

/** What became of an append: written into the chunk, into the chunk encoded anew, or into a chunk of its own. */
export interface Appended {
  readonly chunk: "same" | "recoded" | "new";
  /** Of the chunk that holds the histogram now. */
  readonly appender: HistogramAppender;
}

type HistogramEncoding =
  | typeof Encoding.histogram
  | typeof Encoding.floatHistogram
  | typeof Encoding.histogramST
  | typeof Encoding.floatHistogramST;

/** The answer to whether a counter histogram can follow; `expansions`: positive and negative side. */
type Following =
  | { readonly fits: true; readonly expansions: readonly [Expansion, Expansion] | undefined }
  | { readonly fits: false; readonly flags: Flags };

/** Encodes histograms of one kind into a chunk, by Prometheus's rules for when a chunk must end or be encoded anew. */
export class HistogramAppender {
  readonly encoding: HistogramEncoding;
  readonly #isFloat: boolean;
  /** Undefined where the encoding has none. */
  readonly #starts: StartTimes | undefined;
  readonly #out = new BitWriter(headerBytes, 256);
  readonly #state: HistogramState;
  #layout: HistogramLayout = emptyLayout;
  #lastIsStale = false;

  constructor(encoding: number) {
    assert(isHistogramEncoding(encoding), "a histogram encoding");
    this.encoding = encoding as HistogramEncoding;
    this.#isFloat = isFloatHistogramEncoding(encoding);
    this.#starts = hasStartTimes(encoding) ? new StartTimes() : undefined;
    this.#state = this.#isFloat ? new FloatHistogramState() : new IntegerHistogramState();
  }

  /** Goes on with a chunk that has samples. Throws a CorruptionError. */
  static resume(encoding: number, bytes: Uint8Array): HistogramAppender {
    const appender = new HistogramAppender(encoding);
    const from = new BitReader(bytes, 0, bytes.length, headerBytes, "histogram chunk");
    appender.#layout = readLayout(from);
    if (appender.#starts !== undefined) appender.#starts.header = bytes[startsByte];
    const count = chunkSamples(encoding, bytes);
    for (let i = 0; i < count; i++) {
      const before = appender.#state.t;
      appender.#lastIsStale = appender.#state.read(from, appender.#layout, i);
      appender.#starts?.read(from, i, appender.#state.t, before);
    }
    const used = Math.ceil(from.position / 8);
    appender.#out.resume(bytes.subarray(0, used), 8 * used - from.position);
    return appender;
  }

  get count(): number {
    return ((this.#out.byte(0) << 8) | this.#out.byte(1)) & this.countMax;
  }

  /** The most samples that the chunk takes, and the bits that its count has. */
  get countMax(): number {
    return this.#starts === undefined ? maxSamplesPerChunk : maxSamplesWithStarts;
  }

  /** The chunk's data: a view that the next append changes. */
  bytes(): Uint8Array {
    return this.#out.bytes();
  }

  /** About how much memory this holds. */
  get byteLength(): number {
    const buckets = this.#state.positive.length + this.#state.negative.length;
    return 400 + this.#out.capacity + buckets * (this.#isFloat ? 80 : 24);
  }

  /**
   * Begins the chunk, which is empty. `start`: the start timestamp, 0 for none; kept where the encoding has them. `before`: of
   * the chunk before, where that has histograms of this kind; it tells whether the counter was reset in between.
   */
  begin(t: number, histogram: Histogram, start = 0, before?: HistogramAppender): void {
    this.#write(t, histogram, start);
    if (histogram.isGauge) this.#flags = Flags.gauge;
    else if (histogram.resetHint === ResetHint.reset) this.#flags = Flags.reset;
    else if (before !== undefined) this.#flags = before.#flagsOfNext(histogram);
  }

  /** Appends to a chunk that has samples. */
  append(t: number, histogram: Histogram, start = 0): Appended {
    assert(this.count < this.countMax, `a chunk takes at most ${this.countMax} samples`);
    return histogram.isGauge
      ? this.#appendGauge(t, histogram, start)
      : this.#appendCounter(t, histogram, start);
  }

  get #flagsByte(): number {
    return this.#starts === undefined ? flagsByte : 0;
  }

  get #flags(): Flags {
    return (this.#out.byte(this.#flagsByte) & Flags.mask) as Flags;
  }

  set #flags(flags: Flags) {
    const at = this.#flagsByte;
    this.#out.setByte(at, (this.#out.byte(at) & ~Flags.mask) | flags);
  }

  /** What is known of a chunk with this histogram that follows. Of floats, it is a reset or it is not. */
  #flagsOfNext(histogram: Histogram): Flags {
    const following = this.#following(histogram);
    const flags = following.fits ? Flags.notReset : following.flags;
    return this.#isFloat && flags === Flags.unknown ? Flags.notReset : flags;
  }

  #following(histogram: Histogram): Following {
    // As in Prometheus, what follows a gauge is called "not reset".
    if (this.count > 0 && this.#flags === Flags.gauge) return { fits: false, flags: this.#gaugeBefore() };
    if (histogram.resetHint === ResetHint.reset) return { fits: false, flags: Flags.reset };
    if (histogram.isStale) return { fits: true, expansions: undefined };
    if (this.#lastIsStale) return { fits: false, flags: Flags.unknown };
    const state = this.#state;
    const reset: Following = { fits: false, flags: Flags.reset };
    if (histogram.count < state.count) return reset;
    const { schema, zeroThreshold } = this.#layout;
    if (histogram.schema !== schema || histogram.zeroThreshold !== zeroThreshold) {
      return { fits: false, flags: Flags.unknown };
    }
    if (!hasSameBounds(histogram, this.#layout) || histogram.zeroCount < state.zeroCount) return reset;
    const { positiveSpans, negativeSpans } = this.#layout;
    const positive = expandCounter(
      positiveSpans,
      state.positive,
      histogram.positiveSpans,
      histogram.positiveBuckets,
    );
    if (positive === undefined) return reset;
    const negative = expandCounter(
      negativeSpans,
      state.negative,
      histogram.negativeSpans,
      histogram.negativeBuckets,
    );
    return negative === undefined ? reset : { fits: true, expansions: [positive, negative] };
  }

  #gaugeBefore(): Flags {
    return this.#isFloat ? Flags.unknown : Flags.notReset;
  }

  #appendCounter(t: number, histogram: Histogram, start: number): Appended {
    const following = this.#following(histogram);
    if (!following.fits) return this.#another(t, histogram, start, following.flags);
    const { expansions } = following;
    if (expansions === undefined) return this.#same(t, histogram, start);
    const [positive, negative] = expansions;
    const chunkGrows = positive.chunkGrows || negative.chunkGrows;
    if (!positive.histogramGrows && !negative.histogramGrows) {
      return chunkGrows ? this.#recoded(t, histogram, start) : this.#same(t, histogram, start);
    }
    const { positiveSpans, negativeSpans } = chunkGrows
      ? { positiveSpans: positive.spans, negativeSpans: negative.spans }
      : this.#layout;
    const grown = spreadHistogram(histogram, positiveSpans, negativeSpans);
    return chunkGrows ? this.#recoded(t, grown, start) : this.#same(t, grown, start);
  }

  #appendGauge(t: number, histogram: Histogram, start: number): Appended {
    if (this.#flags !== Flags.gauge) return this.#another(t, histogram, start, Flags.gauge);
    if (histogram.isStale) return this.#same(t, histogram, start);
    if (this.#lastIsStale || !hasSameBounds(histogram, this.#layout)) {
      return this.#another(t, histogram, start, Flags.gauge);
    }
    const { positiveSpans, negativeSpans } = this.#layout;
    const positive = expandGauge(positiveSpans, histogram.positiveSpans);
    const negative = expandGauge(negativeSpans, histogram.negativeSpans);
    const grown =
      positive.histogramGrows || negative.histogramGrows
        ? spreadHistogram(histogram, positive.spans, negative.spans)
        : histogram;
    return positive.chunkGrows || negative.chunkGrows
      ? this.#recoded(t, grown, start)
      : this.#same(t, grown, start);
  }

  #same(t: number, histogram: Histogram, start: number): Appended {
    this.#write(t, histogram, start);
    return { chunk: "same", appender: this };
  }

  #another(t: number, histogram: Histogram, start: number, flags: Flags): Appended {
    const appender = new HistogramAppender(this.encoding);
    appender.#write(t, histogram, start);
    appender.#flags = flags;
    return { chunk: "new", appender };
  }

  /** All samples with the spans of `histogram`, and that one after them. */
  #recoded(t: number, histogram: Histogram, start: number): Appended {
    const appender = new HistogramAppender(this.encoding);
    const { positiveSpans, negativeSpans } = histogram;
    const bytes = this.bytes();
    decodeHistograms(this.encoding, bytes, 0, bytes.length, -Infinity, Infinity, (time, old, oldStart) => {
      const grown = old.isStale ? old : spreadHistogram(old, positiveSpans, negativeSpans);
      appender.#write(time, grown, oldStart);
    });
    appender.#flags = this.#flags;
    appender.#write(t, histogram, start);
    return { chunk: "recoded", appender };
  }

  #write(t: number, histogram: Histogram, start: number): void {
    const { count } = this;
    const before = this.#state.t;
    if (count === 0) {
      this.#layout = layoutOf(histogram);
      writeLayout(this.#out, this.#layout);
    }
    this.#state.write(this.#out, t, histogram, count);
    this.#lastIsStale = histogram.isStale;
    if (this.#starts !== undefined) {
      this.#starts.write(this.#out, count, t, before, start);
      this.#out.setByte(startsByte, this.#starts.header);
    }
    const flags = this.#starts === undefined ? 0 : this.#flags;
    this.#out.setByte(0, ((count + 1) >>> 8) | flags);
    this.#out.setByte(1, count + 1);
  }
}

function spreadHistogram(
  histogram: Histogram,
  positiveSpans: HistogramLayout["positiveSpans"],
  negativeSpans: HistogramLayout["negativeSpans"],
): Histogram {
  return histogram.with({
    positiveSpans,
    negativeSpans,
    positiveBuckets: spread(histogram.positiveSpans, histogram.positiveBuckets, positiveSpans),
    negativeBuckets: spread(histogram.negativeSpans, histogram.negativeBuckets, negativeSpans),
  });
}

/**
 * Decodes the chunk `bytes[start, end)` of encoding 2, 3, 5 or 6 and calls `visit` with its histograms of mint <= t <= maxt
 * and their start timestamps (0 for none). `count` is for a chunk that is still growing. Throws a CorruptionError, possibly
 * after some calls.
 */
export function decodeHistograms(
  encoding: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  mint: number,
  maxt: number,
  visit: (t: number, histogram: Histogram, start: number) => void,
  count = chunkSamples(encoding, bytes, start, end),
): void {
  if (count === 0) return;
  const isFloat = isFloatHistogramEncoding(encoding);
  const hasStarts = hasStartTimes(encoding);
  const from = new BitReader(
    bytes,
    start,
    end,
    headerBytes,
    isFloat ? "float histogram chunk" : "histogram chunk",
  );
  if (end - start < headerBytes) throw from.corrupt(`${end - start} bytes, at least ${headerBytes} expected`);
  const layout = readLayout(from);
  // No allocation by a count that the data cannot hold: every bucket of a sample takes a bit at least.
  const [positive, negative] = bucketCounts(layout);
  if (positive + negative > 8 * (end - start))
    throw from.corrupt(`${positive + negative} buckets cannot be in the data`);
  const state: HistogramState = isFloat ? new FloatHistogramState() : new IntegerHistogramState();
  const isGauge = (bytes[start + (hasStarts ? 0 : flagsByte)] & Flags.mask) === Flags.gauge;
  const starts = new StartTimes();
  if (hasStarts) starts.header = bytes[start + startsByte];
  for (let i = 0, last = Number.NEGATIVE_INFINITY; i < count; i++) {
    const isStale = state.read(from, layout, i);
    const { t } = state;
    if (hasStarts) starts.read(from, i, t, last);
    if (t <= last) throw from.corrupt(`sample ${i} is ${last - t} ms before the one before it`);
    last = t;
    if (t > maxt) return;
    if (t < mint) continue;
    const resetHint = isGauge ? ResetHint.gauge : i > 0 ? ResetHint.notReset : ResetHint.unknown;
    const histogram = isStale ? staleHistogram(isFloat) : histogramOf(state, layout, isFloat, resetHint);
    visit(t, histogram, starts.start);
  }
}

function histogramOf(
  state: HistogramState,
  layout: HistogramLayout,
  isFloat: boolean,
  resetHint: ResetHint,
): Histogram {
  return new Histogram({
    ...layout,
    isFloat,
    resetHint,
    zeroCount: state.zeroCount,
    count: state.count,
    sum: state.sum,
    positiveBuckets: state.positive.slice(),
    negativeBuckets: state.negative.slice(),
  });
}
