import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codecs, recordsOf } from "../../../test/tsdb/wal-world.ts";
import { crc32c } from "../../base/crc32c.ts";
import type { Fs } from "../../base/fs.ts";
import { faultFs } from "../../testkit/fault-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { type Compression, listSegments, pageBytes, WalCorruptionError } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentWriter } from "./segment-writer.ts";

function newWriter(fs: Fs, compression: Compression = "none", segmentBytes = 4 * pageBytes) {
  fs.makeDir("wal");
  return SegmentWriter.create({ fs, codecs }, "wal", 0, {
    compression,
    segmentBytes,
    finish: (file) => file.sync(),
  });
}

/** Bytes that do not compress. */
function noise(length: number, seed: number): Uint8Array {
  const random = new SeededRandom(seed);
  return Uint8Array.from({ length }, () => random.u32());
}

const text = (length: number) => new Uint8Array(length).fill(0x61);

describe("records come back as they were written", () => {
  const room = pageBytes - 7;
  const sizes = [0, 1, 6, 7, 8, room - 8, room - 7, room - 1, room, room + 1, 2 * room, 3 * pageBytes + 11];
  test.each(["none", "snappy", "zstd"] as const)("%s, every pair of interesting sizes", (compression) => {
    for (const first of sizes) {
      for (const second of sizes) {
        const fs = new MemFs();
        const writer = newWriter(fs, compression);
        const records = [noise(first, 1), text(second), noise(second, 2)];
        writer.write(records.slice(0, 1), false);
        writer.write(records.slice(1), false);
        writer.close();
        const where = `${first}, ${second}`;
        const segments = listSegments(fs, "wal");
        expect(recordsOf(fs, segments).map(hex), where).toEqual(records.map(hex));
        for (const { path } of segments) expect(fs.stat(path)?.sizeBytes ?? 1, where).toSatisfy(isPages);
      }
    }
  });

  test("any sequence of batches, and no batch spans two segments", () => {
    const batches = fc.array(fc.array(fc.nat({ max: 3 * pageBytes }), { minLength: 1, maxLength: 4 }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(batches, (sizes) => {
        const fs = new MemFs();
        const writer = newWriter(fs);
        const written: string[] = [];
        for (const [i, batch] of sizes.entries()) {
          const records = batch.map((size, k) => noise(size, i * 16 + k));
          const from = writer.index;
          writer.write(records, false);
          if (writer.index !== from) {
            expect(recordsOf(fs, listSegments(fs, "wal").slice(0, -1)).map(hex)).toEqual(written);
          }
          written.push(...records.map(hex));
        }
        writer.close();
        expect(recordsOf(fs, listSegments(fs, "wal")).map(hex)).toEqual(written);
      }),
      { numRuns: 20 },
    );
  });
});

test("the bytes of a small record", () => {
  const fs = new MemFs();
  const writer = newWriter(fs);
  writer.write([Uint8Array.of(1, 2, 3)], false);
  const bytes = fs.readFile("wal/00000000");
  const crc = crc32c(Uint8Array.of(1, 2, 3));
  expect([...bytes]).toEqual([
    ...[1, 0, 3, crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255],
    ...[1, 2, 3],
  ]);
});

test("what does not shrink is written as it is, without a compression bit", () => {
  const fs = new MemFs();
  const writer = newWriter(fs, "snappy");
  writer.write([noise(100, 3)], false);
  writer.write([text(100)], false);
  const bytes = fs.readFile("wal/00000000");
  expect(bytes[0]).toBe(1);
  expect(bytes[107]).toBe(1 | 8);
  expect(writer.stats.savedBytes).toBeGreaterThan(80);
});

test.each([
  false,
  true,
])("a failed write leaves nothing behind; the take-back fails too: %s", (takeBackFails) => {
  const disk = new MemFs();
  const failing = new Set<string>();
  const fs = faultFs(disk, ({ operation }) =>
    failing.has(operation) ? { code: "ENOSPC", writtenBytes: 5 } : undefined,
  );
  const writer = newWriter(fs);
  writer.write([text(10)], false);
  const before = disk.readFile("wal/00000000").length;
  failing.add("write");
  if (takeBackFails) failing.add("truncate");
  expect(() => writer.write([text(20)], false)).toThrow("ENOSPC");
  expect(disk.readFile("wal/00000000").length).toBe(takeBackFails ? before + 5 : before);
  failing.delete("write");
  if (takeBackFails) expect(() => writer.write([text(30)], false)).toThrow("ENOSPC");
  failing.delete("truncate");
  writer.write([text(40)], false);
  writer.close();
  expect(recordsOf(disk, listSegments(disk, "wal")).map(({ length }) => length)).toEqual([10, 40]);
  expect(writer.stats.writesFailed).toBe(takeBackFails ? 2 : 1);
});

describe("damage", () => {
  /** A segment with records of 10, 40,000 and 20 bytes. */
  function damaged(change: (bytes: Uint8Array) => Uint8Array) {
    const fs = new MemFs();
    const writer = newWriter(fs);
    writer.write([noise(10, 1)], false);
    writer.write([noise(40_000, 2)], false);
    writer.write([noise(20, 3)], false);
    const bytes = change(fs.readFile("wal/00000000"));
    const other = new MemFs();
    other.makeDir("wal");
    other.open("wal/00000000", "create").writeAt(bytes, 0);
    const reader = new SegmentReader({ fs: other, codecs }, listSegments(other, "wal")[0]);
    const lengths: number[] = [];
    let problem: unknown;
    try {
      while (reader.next()) lengths.push(reader.record.length);
    } catch (error) {
      problem = error;
    }
    return { lengths, problem };
  }
  const set = (at: number, value: number) => (bytes: Uint8Array) => {
    bytes[at] = value;
    return bytes;
  };
  const second = 17;
  const third = 17 + 40_000 + 14;

  test.each([
    ["nothing", (bytes: Uint8Array) => bytes, 3, -1, -1],
    ["a byte of the first record", set(9, 0xff), 0, 0, 0],
    ["an unknown fragment type", set(0, 5), 0, 0, 0],
    ["a last fragment without a first", set(0, 4), 0, 0, 0],
    ["a full fragment inside a record", set(pageBytes, 1), 1, pageBytes, second],
    // The record then goes on into the next one, whose type says that it is a whole one.
    ["a middle fragment in place of the last", set(pageBytes, 3), 1, third, second],
    ["a length that leaves the page", set(second + 1, 0xff), 1, second, second],
    ["the end within a header", (bytes: Uint8Array) => bytes.subarray(0, third + 3), 2, third, third],
    ["the end within a fragment", (bytes: Uint8Array) => bytes.subarray(0, third + 20), 2, third, third],
    ["the end at a page, within a record", (b: Uint8Array) => b.subarray(0, pageBytes), 1, pageBytes, second],
    ["a compression bit on plain data", set(0, 1 | 8), 0, 0, 0],
    ["a byte in the padding", (b: Uint8Array) => Uint8Array.of(...b, 0, 0, 7, 0), 3, third + 29, third + 27],
  ])("%s", (_, change, recordCount, offset, recordStart) => {
    const { lengths, problem } = damaged(change);
    expect(lengths).toEqual([10, 40_000, 20].slice(0, recordCount));
    if (offset < 0) expect(problem).toBeUndefined();
    else {
      expect(problem).toBeInstanceOf(WalCorruptionError);
      expect(problem).toMatchObject({ offset, recordStart, file: "wal/00000000" });
    }
  });

  test("any truncation and any changed byte give whole records and a position, never anything else", () => {
    const fs = new MemFs();
    const writer = newWriter(fs, "snappy");
    for (let i = 0; i < 6; i++) writer.write([i % 2 === 0 ? text(30) : noise(12, i)], false);
    const whole = fs.readFile("wal/00000000");
    const want = recordsOf(fs, listSegments(fs, "wal")).map(hex);
    const check = (bytes: Uint8Array, what: string) => {
      const other = new MemFs();
      other.makeDir("wal");
      other.open("wal/00000000", "create").writeAt(bytes, 0);
      const reader = new SegmentReader({ fs: other, codecs }, listSegments(other, "wal")[0]);
      const got: string[] = [];
      let cut = -1;
      try {
        while (reader.next()) got.push(hex(reader.record));
      } catch (error) {
        if (!(error instanceof WalCorruptionError)) throw error;
        cut = error.recordStart;
      }
      // Changing the unused bits of a type byte is no damage; otherwise what is read is a prefix.
      expect(want.slice(0, got.length), what).toEqual(got);
      if (cut >= 0) expect(cut, what).toBe(reader.end);
    };
    for (let length = 0; length < whole.length; length++)
      check(whole.subarray(0, length), `cut at ${length}`);
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bytes = whole.slice();
        bytes[at] ^= mask;
        check(bytes, `byte ${at} ^ ${mask}`);
      }
    }
  });
});

function hex(bytes: Uint8Array): string {
  return bytes.length > 64
    ? `${bytes.length}:${crc32c(bytes).toString(16)}`
    : Buffer.from(bytes).toString("hex");
}

function isPages(size: number): boolean {
  return size % pageBytes === 0;
}
