import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleLines } from "../../../test/tsdb/wal-world.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import { Labels } from "../../model/labels.ts";
import { decodeExemplars, encodeExemplars } from "./exemplars.ts";
import {
  decodeHistogramRecord,
  encodeHistograms,
  encodeHistogramsWithStarts,
  HistogramBatch,
} from "./histograms.ts";
import { decodeMetadata, encodeMetadata } from "./metadata.ts";
import { decodeMmapMarkers, encodeMmapMarkers } from "./mmap-markers.ts";
import { isHistogramRecord, recordType } from "./record-type.ts";
import { decodeSamples, encodeSamples, encodeSamplesWithStarts, SampleBatch } from "./samples.ts";
import { addSeries, beginSeries, SeriesCursor } from "./series.ts";
import { decodeTombstones, encodeTombstones } from "./tombstones.ts";

function encoded(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.bytes().slice();
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));

const walRef = fc.oneof(fc.nat(), fc.maxSafeNat());
const time = fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }));
const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const labels = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: "grapheme" })), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .map((pairs) => Labels.of(pairs));

describe("round trips", () => {
  test("float samples, bit by bit", () => {
    const batch = new SampleBatch(1);
    fc.assert(
      fc.property(fc.array(fc.tuple(walRef, time, bits), { maxLength: 20 }), (samples) => {
        const walRefs = Float64Array.from(samples, ([ref]) => ref);
        const t = Float64Array.from(samples, ([, at]) => at);
        const v = new Float64Array(BigUint64Array.from(samples, ([, , value]) => value).buffer);
        const record = encoded((out) => encodeSamples(walRefs, t, v, 0, samples.length, out));
        decodeSamples(record, batch);
        expect(sampleLines(batch.walRefs, batch.t, batch.v, batch.n)).toEqual(
          sampleLines(walRefs, t, v, samples.length),
        );
      }),
    );
  });

  test("float samples with start times", () => {
    const batch = new SampleBatch(1);
    const start = fc.oneof(fc.constantFrom(0, 0, 7), time);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(walRef, time, bits, start), { minLength: 1, maxLength: 20 }),
        fc.nat(3),
        (samples, skipped) => {
          const from = Math.min(skipped, samples.length - 1);
          const walRefs = Float64Array.from(samples, ([ref]) => ref);
          const t = Float64Array.from(samples, ([, at]) => at);
          const v = new Float64Array(BigUint64Array.from(samples, ([, , value]) => value).buffer);
          const starts = Float64Array.from(samples, ([, , , one]) => one);
          const n = samples.length;
          decodeSamples(
            encoded((out) => encodeSamplesWithStarts(walRefs, t, v, starts, from, n, out)),
            batch,
          );
          expect(sampleLines(batch.walRefs, batch.t, batch.v, batch.n)).toEqual(
            sampleLines(walRefs.subarray(from), t.subarray(from), v.slice(from), n - from),
          );
          expect([...(batch.starts ?? [])].slice(0, batch.n)).toEqual([...starts.subarray(from)]);
        },
      ),
    );
    // The next record of type 2 has none.
    decodeSamples(
      encoded((out) => encodeSamples(Float64Array.of(1), Float64Array.of(1), Float64Array.of(1), 0, 1, out)),
      batch,
    );
    expect(batch.starts).toBeUndefined();
  });

  test("a part of the columns", () => {
    const column = Float64Array.of(1, 2, 3, 4);
    const batch = new SampleBatch();
    decodeSamples(
      encoded((out) => encodeSamples(column, column, column, 1, 3, out)),
      batch,
    );
    expect(sampleLines(batch.walRefs, batch.t, batch.v, batch.n)).toEqual(
      sampleLines(column.slice(1), column.slice(1), column.slice(1), 2),
    );
  });

  test("series", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(walRef, labels), { maxLength: 10 }), (entries) => {
        const record = encoded((out) => {
          beginSeries(out);
          for (const [ref, set] of entries) addSeries(out, ref, set);
        });
        const back: [number, string][] = [];
        const copy = new ByteWriter();
        beginSeries(copy);
        for (const cursor = new SeriesCursor(record); cursor.next(); ) {
          back.push([cursor.walRef, cursor.labels().key]);
          copy.raw(record.subarray(cursor.start, cursor.end));
        }
        expect(back).toEqual(entries.map(([ref, set]) => [ref, set.key]));
        expect(hexOf(copy.bytes())).toBe(hexOf(record));
      }),
    );
  });

  test("exemplars", () => {
    const exemplar = fc.record({ walRef, t: time, value: fc.double({ noNaN: true }), labels });
    fc.assert(
      fc.property(fc.array(exemplar, { maxLength: 8 }), (entries) => {
        const back = decodeExemplars(encoded((out) => encodeExemplars(entries, out)));
        expect(back.map((e) => ({ ...e, labels: e.labels.key }))).toEqual(
          entries.map((e) => ({ ...e, labels: e.labels.key })),
        );
      }),
    );
  });

  test("metadata", () => {
    const type = fc.constantFrom(
      "unknown",
      "counter",
      "gauge",
      "histogram",
      "gaugehistogram",
      "summary",
      "info",
    );
    const entry = fc.record({
      walRef,
      metadata: fc.record({ type, unit: fc.string(), help: fc.string({ unit: "grapheme" }) }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        expect(decodeMetadata(encoded((out) => encodeMetadata(entries, out)))).toEqual(entries);
      }),
    );
  });

  test("tombstones and markers", () => {
    const stone = fc.record({ walRef, mint: time, maxt: time });
    const marker = fc.record({ walRef, chunkRef: fc.maxSafeNat() });
    fc.assert(
      fc.property(
        fc.array(stone, { maxLength: 8 }),
        fc.array(marker, { maxLength: 8 }),
        (stones, markers) => {
          expect(decodeTombstones(encoded((out) => encodeTombstones(stones, out)))).toEqual(stones);
          expect(decodeMmapMarkers(encoded((out) => encodeMmapMarkers(markers, out)))).toEqual(markers);
        },
      ),
    );
  });
});

test("the times at the limits of int64 survive as the nearest double", () => {
  const t = Float64Array.of(0, 2 ** 63, -(2 ** 63), 2 ** 60);
  const batch = new SampleBatch();
  decodeSamples(
    encoded((out) => encodeSamples(new Float64Array(4), t, t, 0, 4, out)),
    batch,
  );
  // 2^63 itself is no int64: it wraps, as it does in Prometheus.
  expect([...batch.t.subarray(0, 4)]).toEqual([0, -(2 ** 63), -(2 ** 63), 2 ** 60]);
});

describe("bytes by hand", () => {
  // As Prometheus's encoder lays them out (tsdb/record/record.go).
  const samplesV2 = `
    0b 0a c801 64 3ff0000000000000
       02 00 01 4000000000000000
       03 04 00 7ff0000000000002
       02 06 02 05 0000000000000000`;

  test("samples with start times: refs from the one before, times from the first", () => {
    const batch = new SampleBatch(1);
    decodeSamples(bytesOf(samplesV2), batch);
    expect(sampleLines(batch.walRefs, batch.t, batch.v, batch.n)).toEqual([
      "5 100 3ff0000000000000",
      "6 100 4000000000000000",
      "4 102 7ff0000000000002",
      "5 103 0",
    ]);
    expect([...(batch.starts ?? [])].slice(0, batch.n)).toEqual([50, 50, 0, 47]);
    const { walRefs, t, v, starts = t, n } = batch;
    expect(encoded((out) => encodeSamplesWithStarts(walRefs, t, v, starts, 0, n, out))).toEqual(
      bytesOf(samplesV2),
    );
  });

  const intHistogram = `00 06 3c9cd2b297d889bc 02 0c 4032666666666666
    02 00 02 02 01  01 00 02  03 04 03 04  02 02 01`;
  const floatHistogram = `01 00 0000000000000000 4000000000000000 4000000000000000 0000000000000000
    01 00 02 00 02 3ff0000000000000 3ff0000000000000 00`;
  const customHistogram = `00 69 0000000000000000 00 05 0000000000000000
    01 00 02 00 02 02 04 00 03 3ff0000000000000 4000000000000000 4008000000000000`;

  test.each([
    ["integer", `07 0000000000000003 0000000000000064 00 00 ${intHistogram} 02 0a ${intHistogram}`],
    ["float", `08 0000000000000003 0000000000000064 00 00 ${floatHistogram} 02 0a ${floatHistogram}`],
    [
      "integer, custom buckets",
      `09 0000000000000003 0000000000000064 00 00 ${customHistogram} 02 0a ${customHistogram}`,
    ],
    ["integer with start times", `0c 06 c801 02 ${intHistogram} 02 0a 02 07 ${intHistogram}`],
    ["float with start times", `0d 06 c801 02 ${floatHistogram} 02 0a 01 ${floatHistogram}`],
  ])("native histograms, %s", (kind, hex) => {
    const batch = new HistogramBatch();
    const record = bytesOf(hex);
    decodeHistogramRecord(record, batch);
    expect(Array.from({ length: batch.n }, (_, i) => [batch.walRefs[i], batch.t[i]])).toEqual([
      [3, 100],
      [4, 105],
    ]);
    const [histogram] = batch.histograms;
    const { isFloat, isCustom, count, sum } = histogram;
    expect({ isFloat, isCustom, count, sum }).toEqual({
      isFloat: kind.startsWith("float"),
      isCustom: kind.includes("custom"),
      count: kind.startsWith("float") ? 2 : kind.includes("custom") ? 5 : 12,
      sum: kind.startsWith("integer") && !kind.includes("custom") ? 18.4 : 0,
    });
    expect(batch.histograms[1].equals(histogram)).toBe(true);
    const hasStarts = kind.includes("start times");
    expect([...batch.starts.subarray(0, 2)]).toEqual(
      hasStarts ? [1, kind.startsWith("float") ? 1 : -3] : [0, 0],
    );
    const again = new ByteWriter();
    const entries = batch.histograms.map((one, i) => ({
      walRef: batch.walRefs[i],
      t: batch.t[i],
      histogram: one,
      start: batch.starts[i],
    }));
    if (hasStarts) encodeHistogramsWithStarts(entries, again);
    else encodeHistograms(entries, again);
    expect(again.bytes()).toEqual(record);
  });

  test("metadata: unknown fields and types are passed over", () => {
    const hex = "06 05 01 03 04 48454c50 01 68 03 4e4557 02 6e6e 04 554e4954 01 73 06 63 00";
    expect(decodeMetadata(bytesOf(hex))).toEqual([
      { walRef: 5, metadata: { type: "counter", unit: "s", help: "h" } },
      { walRef: 6, metadata: { type: "unknown", unit: "", help: "" } },
    ]);
  });

  test("labels that are not in order, or empty, are put right", () => {
    const hex = "01 0000000000000001 03 01 62 01 32 01 61 01 31 01 63 00";
    const cursor = new SeriesCursor(bytesOf(hex));
    expect(cursor.next()).toBe(true);
    expect(cursor.labels().toObject()).toEqual({ a: "1", b: "2" });
  });
});

test("record types", () => {
  expect(recordType(new Uint8Array(0))).toBeUndefined();
  expect([0, 1, 13, 14, 255].map((type) => recordType(Uint8Array.of(type)))).toEqual([
    undefined,
    1,
    13,
    undefined,
    undefined,
  ]);
  const histograms = Array.from({ length: 13 }, (_, i) => recordType(Uint8Array.of(i + 1))!).filter(
    isHistogramRecord,
  );
  expect(histograms).toEqual([7, 8, 9, 10, 12, 13]);
});

describe("hostile bytes", () => {
  const batch = new SampleBatch();
  const histograms = new HistogramBatch();
  const decoders: Record<number, (record: Uint8Array) => unknown> = {
    1: (record) => {
      for (const cursor = new SeriesCursor(record); cursor.next(); ) cursor.labels();
    },
    2: (record) => decodeSamples(record, batch),
    3: decodeTombstones,
    4: decodeExemplars,
    5: decodeMmapMarkers,
    6: decodeMetadata,
    7: (record) => decodeHistogramRecord(record, histograms),
    8: (record) => decodeHistogramRecord(record, histograms),
    9: (record) => decodeHistogramRecord(record, histograms),
    10: (record) => decodeHistogramRecord(record, histograms),
    11: (record) => decodeSamples(record, batch),
    12: (record) => decodeHistogramRecord(record, histograms),
    13: (record) => decodeHistogramRecord(record, histograms),
  };
  test("decode or give a CorruptionError, quickly", () => {
    const type = fc.integer({ min: 1, max: 13 });
    const body = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(type, body, fc.boolean(), (kind, bytes, manyOnes) => {
        const record = Uint8Array.of(kind, ...(manyOnes ? bytes.map((byte) => byte | 0x80) : bytes));
        try {
          decoders[kind](record);
        } catch (error) {
          if (!(error instanceof CorruptionError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("every record that is cut short is refused or ends at an entry", () => {
    const walRefs = Float64Array.of(1, 300, 70_000);
    const record = encoded((out) => encodeSamples(walRefs, walRefs, walRefs, 0, 3, out));
    const counts = Array.from({ length: record.length }, (_, length) => {
      if (length === 0) return -1;
      try {
        decodeSamples(record.subarray(0, length), batch);
        return batch.n;
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        return -1;
      }
    });
    expect(counts.filter((n) => n >= 0)).toEqual([0, 0, 1, 2]);
  });
});
