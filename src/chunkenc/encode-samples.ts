/** Samples from columns, of whatever kinds, into chunks of their encodings. */
import type { Histogram } from "../model/histogram.ts";
import { Encoding } from "./encoding.ts";
import { HistogramAppender } from "./histogram.ts";
import type { XorAppender } from "./xor.ts";

/** Where Prometheus cuts chunks that it encodes anew. */
export const samplesPerEncodedChunk = 120;

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
  readonly histograms: readonly (Histogram | undefined)[] | undefined;
}

/**
 * The samples [from, to), whose times increase, in chunks of at most `samplesMax` samples. A chunk also ends where floats give
 * way to histograms or one kind of these to another, and where a histogram cannot follow in its chunk. `appender` is used
 * for all chunks of floats.
 */
export function* encodeSamples(
  samples: EncodableSamples,
  from: number,
  to: number,
  appender: XorAppender,
  samplesMax = samplesPerEncodedChunk,
): Generator<EncodedChunk> {
  const { t, histograms } = samples;
  for (let start = from; start < to; ) {
    const encoding = encodingOf(histograms?.[start]);
    let end = start + 1;
    while (end < to && encodingOf(histograms?.[end]) === encoding) end++;
    if (encoding === Encoding.xor) yield* encodeFloats(samples, start, end, appender, samplesMax);
    else yield* encodeHistograms(t, histograms ?? [], start, end, encoding, samplesMax);
    start = end;
  }
}

function encodingOf(histogram: Histogram | undefined): Encoding {
  if (histogram === undefined) return Encoding.xor;
  return histogram.isFloat ? Encoding.floatHistogram : Encoding.histogram;
}

function* encodeFloats(
  { t, v }: EncodableSamples,
  from: number,
  to: number,
  appender: XorAppender,
  samplesMax: number,
): Generator<EncodedChunk> {
  for (let start = from; start < to; start += samplesMax) {
    const end = Math.min(start + samplesMax, to);
    appender.reset();
    for (let i = start; i < end; i++) appender.append(t[i], v, i);
    yield { encoding: Encoding.xor, mint: t[start], maxt: t[end - 1], bytes: appender.bytes() };
  }
}

function* encodeHistograms(
  t: Float64Array,
  histograms: readonly (Histogram | undefined)[],
  from: number,
  to: number,
  encoding: Encoding,
  samplesMax: number,
): Generator<EncodedChunk> {
  let appender: HistogramAppender | undefined;
  let start = from;
  for (let i = from; i < to; i++) {
    const histogram = histograms[i] as Histogram;
    const before: HistogramAppender | undefined = appender;
    if (before === undefined || before.count >= samplesMax) {
      appender = new HistogramAppender(encoding);
      appender.begin(t[i], histogram, before);
    } else {
      const appended = before.append(t[i], histogram);
      appender = appended.appender;
      if (appended.chunk !== "new") continue;
    }
    if (before === undefined) continue;
    yield { encoding, mint: t[start], maxt: t[i - 1], bytes: before.bytes() };
    start = i;
  }
  if (appender !== undefined) yield { encoding, mint: t[start], maxt: t[to - 1], bytes: appender.bytes() };
}
