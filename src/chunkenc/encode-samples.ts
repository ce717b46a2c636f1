/** Samples from columns, of whatever kinds, into chunks of their encodings. */
import type { Histogram } from "../model/histogram.ts";
import { Encoding, hasStartTimes, histogramEncoding } from "./encoding.ts";
import { HistogramAppender } from "./histogram.ts";
import { XorAppender } from "./xor.ts";
import { Xor2Appender } from "./xor2.ts";

/** Where Prometheus cuts chunks that it encodes anew. */
export const samplesPerEncodedChunk = 120;

/** Which of the encodings chunks get. */
export interface ChunkEncodings {
  readonly floats: "xor" | "xor2";
  /** Whether histograms get the encodings with start timestamps. */
  readonly histogramStarts: boolean;
}

/** What Prometheus 3.5 can read. */
export const plainEncodings: ChunkEncodings = { floats: "xor", histogramStarts: false };

/** Those with which the samples of a chunk stay in its encoding. */
export function encodingsLike(encoding: number): ChunkEncodings {
  return {
    floats: encoding === Encoding.xor2 ? "xor2" : "xor",
    histogramStarts: hasStartTimes(encoding),
  };
}

export interface EncodedChunk {
  readonly encoding: number;
  readonly mint: number;
  readonly maxt: number;
  /** Valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

/** What is encoded: a SampleColumns of storage/ is one. */
export interface EncodableSamples {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly starts: Float64Array | undefined;
  readonly histograms: readonly (Histogram | undefined)[] | undefined;
}

/** Encodes sequences of samples, one after the other in the same memory. */
export class SampleEncoder {
  readonly #xor: XorAppender;
  #xor2: Xor2Appender | undefined;

  /** `capacity`: how many bytes a chunk is expected to have. */
  constructor(capacity = 1024) {
    this.#xor = new XorAppender(capacity);
  }

  /**
   * The samples [from, to), whose times increase, in chunks of at most `samplesMax` samples. A chunk also ends where floats
   * give way to histograms or one kind of these to another, and where a histogram cannot follow in its chunk. Samples with
   * start timestamps get an encoding that has them, whatever `encodings` says, as in Prometheus.
   */
  *encode(
    samples: EncodableSamples,
    from: number,
    to: number,
    encodings: ChunkEncodings,
    samplesMax = samplesPerEncodedChunk,
  ): Generator<EncodedChunk> {
    const { histograms } = samples;
    for (let start = from; start < to; ) {
      const kind = kindOf(histograms?.[start]);
      let end = start + 1;
      while (end < to && kindOf(histograms?.[end]) === kind) end++;
      if (kind === Kind.float) yield* this.#floats(samples, start, end, encodings, samplesMax);
      else yield* encodeHistograms(samples, start, end, kind, encodings, samplesMax);
      start = end;
    }
  }

  *#floats(
    samples: EncodableSamples,
    from: number,
    to: number,
    { floats }: ChunkEncodings,
    samplesMax: number,
  ): Generator<EncodedChunk> {
    const { t, starts } = samples;
    for (let start = from; start < to; start += samplesMax) {
      const end = Math.min(start + samplesMax, to);
      const encoding = floats === "xor2" || hasStarts(starts, start, end) ? Encoding.xor2 : Encoding.xor;
      const bytes =
        encoding === Encoding.xor
          ? this.#xorChunk(samples, start, end)
          : this.#xor2Chunk(samples, start, end);
      yield { encoding, mint: t[start], maxt: t[end - 1], bytes };
    }
  }

  #xorChunk({ t, v }: EncodableSamples, from: number, to: number): Uint8Array {
    const appender = this.#xor;
    appender.reset();
    for (let i = from; i < to; i++) appender.append(t[i], v, i);
    return appender.bytes();
  }

  #xor2Chunk({ t, v, starts }: EncodableSamples, from: number, to: number): Uint8Array {
    this.#xor2 ??= new Xor2Appender();
    const appender = this.#xor2;
    appender.reset();
    for (let i = from; i < to; i++) appender.append(t[i], v, i, starts?.[i]);
    return appender.bytes();
  }
}

const Kind = { float: 0, histogram: 1, floatHistogram: 2 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

function kindOf(histogram: Histogram | undefined): Kind {
  if (histogram === undefined) return Kind.float;
  return histogram.isFloat ? Kind.floatHistogram : Kind.histogram;
}

function hasStarts(starts: Float64Array | undefined, from: number, to: number): boolean {
  if (starts === undefined) return false;
  for (let i = from; i < to; i++) if (starts[i] !== 0) return true;
  return false;
}

function* encodeHistograms(
  { t, starts, histograms = [] }: EncodableSamples,
  from: number,
  to: number,
  kind: Kind,
  { histogramStarts }: ChunkEncodings,
  samplesMax: number,
): Generator<EncodedChunk> {
  const withStarts = histogramStarts || hasStarts(starts, from, to);
  const encoding = histogramEncoding(kind === Kind.floatHistogram, withStarts);
  let appender: HistogramAppender | undefined;
  let start = from;
  for (let i = from; i < to; i++) {
    const histogram = histograms[i] as Histogram;
    const before: HistogramAppender | undefined = appender;
    if (before === undefined || before.count >= Math.min(samplesMax, before.countMax)) {
      appender = new HistogramAppender(encoding);
      appender.begin(t[i], histogram, starts?.[i], before);
    } else {
      const appended = before.append(t[i], histogram, starts?.[i]);
      appender = appended.appender;
      if (appended.chunk !== "new") continue;
    }
    if (before === undefined) continue;
    yield { encoding, mint: t[start], maxt: t[i - 1], bytes: before.bytes() };
    start = i;
  }
  if (appender !== undefined) yield { encoding, mint: t[start], maxt: t[to - 1], bytes: appender.bytes() };
}
