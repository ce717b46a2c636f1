/** Native histograms as remote write 1.0 sends them. */
import type { Histogram } from "../../src/model/histogram.ts";

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const zigzag = (value: number) => (BigInt(value) * 2n ** 1n) ^ (value < 0 ? -1n : 0n);
const tag = (number: number, wire: number) => varint(BigInt(number * 8 + wire));
const bytes = (number: number, content: Buffer) =>
  Buffer.concat([tag(number, 2), varint(BigInt(content.length)), content]);
const number = (field: number, value: bigint) => Buffer.concat([tag(field, 0), varint(value)]);
const double = (value: number) => {
  const out = Buffer.alloc(8);
  new Float64Array(out.buffer, out.byteOffset, 1)[0] = value;
  return out;
};
const fixed = (field: number, value: number) => Buffer.concat([tag(field, 1), double(value)]);

/** The content of a prometheus.Histogram. */
export function encodeHistogramMessage(t: number, histogram: Histogram): Buffer {
  const { isFloat } = histogram;
  const spans = (field: number, list: Histogram["positiveSpans"]) =>
    list.map(({ offset, length }) =>
      bytes(field, Buffer.concat([number(1, zigzag(offset)), number(2, BigInt(length))])),
    );
  const buckets = (field: number, counts: Float64Array) =>
    isFloat
      ? bytes(field + 1, Buffer.concat([...counts].map(double)))
      : bytes(
          field,
          Buffer.concat([...counts].map((count, i) => varint(zigzag(count - (i === 0 ? 0 : counts[i - 1]))))),
        );
  return Buffer.concat([
    isFloat ? fixed(2, histogram.count) : number(1, BigInt(histogram.count)),
    fixed(3, histogram.sum),
    number(4, zigzag(histogram.schema)),
    fixed(5, histogram.zeroThreshold),
    isFloat ? fixed(7, histogram.zeroCount) : number(6, BigInt(histogram.zeroCount)),
    ...spans(8, histogram.negativeSpans),
    buckets(9, histogram.negativeBuckets),
    ...spans(11, histogram.positiveSpans),
    buckets(12, histogram.positiveBuckets),
    number(14, BigInt(histogram.resetHint)),
    number(15, BigInt(t)),
    ...(histogram.customBounds.length > 0
      ? [bytes(16, Buffer.concat([...histogram.customBounds].map(double)))]
      : []),
  ]);
}
