/** Chunks of native histograms and XOR2 chunks. The first byte of an input is the encoding. */
import { decodeChunk } from "../../../src/chunkenc/decode-chunk.ts";
import {
  chunkSamples,
  Encoding,
  histogramEncoding,
  isHistogramEncoding,
} from "../../../src/chunkenc/encoding.ts";
import { HistogramAppender } from "../../../src/chunkenc/histogram.ts";
import { Xor2Appender } from "../../../src/chunkenc/xor2.ts";
import { customBucketsSchema, Histogram, ResetHint, staleHistogram } from "../../../src/model/histogram.ts";
import { SampleColumns } from "../../../src/storage/sample-columns.ts";
import { check, type FuzzTarget } from "../target.ts";

const start = 1_700_000_000_123;

function input(encoding: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(encoding, ...bytes);
}

/** Counters that grow, with a bucket that appears, and a staleness marker in the end. */
function histogramSeed(
  fields: Partial<ConstructorParameters<typeof Histogram>[0]>,
  withStarts = false,
): Uint8Array {
  const isFloat = fields.isFloat ?? false;
  const encoding = histogramEncoding(isFloat, withStarts);
  let chunk = new HistogramAppender(encoding);
  for (let i = 0; i < 12; i++) {
    const length = i < 6 ? 2 : 3;
    const histogram = new Histogram({
      isFloat,
      zeroThreshold: 2 ** -128,
      zeroCount: i,
      count: 10 * i,
      sum: i * 1.5,
      positiveSpans: [{ offset: -1, length }],
      positiveBuckets: Float64Array.from({ length }, (_, k) => i * (k + 1)),
      negativeSpans: [{ offset: 3, length: 1 }],
      negativeBuckets: Float64Array.of(i + (isFloat ? 0.5 : 0)),
      ...fields,
    });
    if (i === 0) chunk.begin(start, histogram, start - 500);
    else chunk = chunk.append(start + i * 15_000 + (i % 3), histogram, start - 500 * (i >> 2)).appender;
  }
  chunk.append(start + 1e6, staleHistogram(isFloat));
  return input(encoding, chunk.bytes());
}

function histogramSeeds(): Uint8Array[] {
  const custom = {
    schema: customBucketsSchema,
    zeroThreshold: 0,
    zeroCount: 0,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveBuckets: Float64Array.of(1, 2),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: Float64Array.of(0.005, Math.PI),
  };
  const all = [{}, { isFloat: true }, { resetHint: ResetHint.gauge }, custom, { zeroThreshold: 0.3 }];
  const withStarts = all.slice(0, 3).map((fields) => histogramSeed(fields, true));
  return [...all.map((fields) => histogramSeed(fields)), ...withStarts];
}

function xor2Seeds(): Uint8Array[] {
  const values = new Float64Array(BigUint64Array.of(0n, 1n, 0x7ff0000000000002n, 0x3ff0000000000000n).buffer);
  const appender = new Xor2Appender();
  return [0, 1000].map((startTime) => {
    appender.reset();
    let t = start;
    for (let i = 0; i < 40; i++) {
      t += i % 5 === 4 ? 70_000 * i : 15_000;
      appender.append(t, values, i % 4, startTime * (i >> 3));
    }
    return input(Encoding.xor2, appender.bytes());
  });
}

/** A part of a chunk is a part of the whole, and a chunk that is taken up again has the same samples. */
function decodeTwice(data: Uint8Array): boolean {
  if (data.length === 0) return false;
  const encoding = data[0];
  const bytes = data.subarray(1);
  const whole = new SampleColumns(1, true);
  decodeChunk(encoding, bytes, 0, bytes.length, whole, -Infinity, Infinity);
  check(whole.n === chunkSamples(encoding, bytes), `${whole.n} samples were decoded`);
  for (let i = 1; i < whole.n; i++) check(whole.t[i] > whole.t[i - 1], "times do not increase");
  if (whole.n === 0) return true;
  const part = new SampleColumns(1);
  const middle = whole.t[whole.n >> 1];
  decodeChunk(encoding, bytes, 0, bytes.length, part, middle, Infinity);
  check(part.n === whole.n - (whole.n >> 1), `${part.n} samples from the middle on`);
  if (!isHistogramEncoding(encoding)) return true;
  const resumed = HistogramAppender.resume(encoding, bytes);
  check(resumed.count === whole.n, `${resumed.count} samples after taking it up again`);
  return true;
}

export const histogramChunkTargets: readonly FuzzTarget[] = [
  { name: "histogram-chunk", share: 1, seeds: histogramSeeds, run: decodeTwice },
  { name: "xor2-chunk", share: 1, seeds: xor2Seeds, run: decodeTwice },
];
