/**
 * Native histogram records (types 7 to 10, 12 and 13). Histograms are not decoded yet: this walks over them to tell
 * whose they are and of when. What it skips is checked for its lengths only.
 *
 * types 7 8 9 10 = type u8 | base walRef u64 | base time i64 | (walRef - base varint | time - base varint | histogram)*
 * types 12 13    = type u8 | first walRef varint | first time varint | first start time varint | histogram | entry*
 * entry          = walRef - the one before varint | time - first varint | marker u8 [start time varint] | histogram
 * histogram      = counter reset hint u8 | schema varint | zero threshold f64 | zero count | count | sum f64 |
 *                  positive spans | negative spans | positive buckets | negative buckets | [custom bounds]
 *
 * Counts are uvarints and buckets varints in integer histograms (7, 9, 12); both are doubles in float ones (8, 10, 13).
 * Spans, buckets and bounds have a uvarint count before them; bounds are there where the schema is -53.
 */
import type { ByteReader } from "../../base/bytes.ts";
import { bodyOf, checkedRef } from "./record-reader.ts";
import { RecordType } from "./record-type.ts";
import { type SampleBatch, skipStartTime } from "./samples.ts";

const customBucketsSchema = -53;

/** Fills the refs and times of `out` from a histogram record; its values are left alone. Throws a CorruptionError. */
export function decodeHistogramRefs(record: Uint8Array, out: SampleBatch): void {
  out.n = 0;
  if (record.length === 1) return;
  const reader = bodyOf(
    record,
    RecordType.histogramSamples,
    RecordType.floatHistogramSamples,
    RecordType.customBucketsHistogramSamples,
    RecordType.customBucketsFloatHistogramSamples,
    RecordType.histogramSamplesV2,
    RecordType.floatHistogramSamplesV2,
  );
  const type = record[0];
  const isFloat =
    type === RecordType.floatHistogramSamples ||
    type === RecordType.customBucketsFloatHistogramSamples ||
    type === RecordType.floatHistogramSamplesV2;
  if (type >= RecordType.histogramSamplesV2) readV2(reader, isFloat, out);
  else readV1(reader, isFloat, out);
}

function add(out: SampleBatch, walRef: number, t: number): void {
  out.reserve(out.n + 1);
  out.walRefs[out.n] = walRef;
  out.t[out.n] = t;
  out.n++;
}

function readV1(reader: ByteReader, isFloat: boolean, out: SampleBatch): void {
  const baseRef = reader.u64();
  const baseTime = reader.i64();
  while (reader.remaining > 0) {
    const walRef = checkedRef(baseRef + reader.varint(), reader);
    add(out, walRef, baseTime + reader.varint());
    skipHistogram(reader, isFloat);
  }
}

function readV2(reader: ByteReader, isFloat: boolean, out: SampleBatch): void {
  let walRef = checkedRef(reader.varint(), reader);
  const firstTime = reader.varint();
  reader.varint();
  add(out, walRef, firstTime);
  skipHistogram(reader, isFloat);
  while (reader.remaining > 0) {
    walRef = checkedRef(walRef + reader.varint(), reader);
    add(out, walRef, firstTime + reader.varint());
    skipStartTime(reader);
    skipHistogram(reader, isFloat);
  }
}

function skipHistogram(reader: ByteReader, isFloat: boolean): void {
  reader.skip(1);
  const schema = reader.varint();
  reader.skip(8);
  for (let i = 0; i < 2; i++) isFloat ? reader.skip(8) : reader.uvarint();
  reader.skip(8);
  for (let side = 0; side < 2; side++) {
    for (let spans = reader.uvarint(); spans > 0; spans--) {
      reader.varint();
      reader.uvarint();
    }
  }
  for (let side = 0; side < 2; side++) {
    const buckets = reader.uvarint();
    if (isFloat) reader.skip(buckets * 8);
    else for (let i = 0; i < buckets; i++) reader.varint();
  }
  if (schema === customBucketsSchema) reader.skip(reader.uvarint() * 8);
}
