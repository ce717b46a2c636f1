import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptionError } from "../../base/errors.ts";
import { PageCache } from "../../base/page-cache.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { chunkRef, refOffset, refSegment } from "./segments.ts";

interface Written {
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly ref: number;
}

function write(chunks: readonly [number, Uint8Array][], segmentBytesMax?: number): [MemFs, Written[]] {
  const fs = new MemFs();
  fs.makeDir("chunks");
  const writer = new SegmentWriter(fs, "chunks", segmentBytesMax);
  const written = chunks.map(([encoding, data]) => ({ encoding, data, ref: writer.write(encoding, data) }));
  writer.finish();
  return [fs, written];
}

const open = (fs: MemFs) => SegmentReader.open(fs, new PageCache(1 << 20), "chunks");
const chunk = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.uint8Array({ maxLength: 1500, size: "max" }));

test("chunks come back, whatever the segment size; refs increase; segments keep their size", () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 60 }), fc.integer({ min: 1, max: 20_000 }), (chunks, size) => {
      const [fs, written] = write(chunks, size);
      const reader = open(fs);
      for (const { encoding, data, ref } of written) {
        const read = reader.chunk(ref);
        expect(read[0]).toBe(encoding);
        expect(Buffer.compare(read.subarray(1), data)).toBe(0);
      }
      for (let i = 1; i < written.length; i++) expect(written[i].ref).toBeGreaterThan(written[i - 1].ref);
      for (const [i, name] of fs.list("chunks").entries()) {
        const inside = written.filter(({ ref }) => refSegment(ref) === i);
        expect(inside.length).toBeGreaterThan(0);
        if (inside.length > 1) expect(fs.stat(`chunks/${name}`)?.sizeBytes).toBeLessThanOrEqual(size);
      }
    }),
    { numRuns: 60 },
  );
});

test("nothing written, nothing created", () => {
  const [fs] = write([]);
  expect(fs.list("chunks")).toEqual([]);
  open(fs).close();
});

test("segments are taken in the order of their numbers; other files are ignored", () => {
  const [fs, written] = write(
    Array.from({ length: 12 }, (_, i) => [1, Uint8Array.of(i)]),
    1,
  );
  expect(fs.list("chunks").slice(0, 2)).toEqual(["000001", "000002"]);
  fs.rename("chunks/000012", "chunks/1000000");
  fs.rename("chunks/000011", "chunks/200000");
  fs.open("chunks/notes.txt", "create");
  const reader = open(fs);
  expect(written.map(({ ref }) => reader.chunk(ref)[1])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("refs that lead nowhere are refused", () => {
  const [fs, [{ ref }]] = write([[1, Uint8Array.of(1, 2, 3)]]);
  const reader = open(fs);
  const refs = [0, ref - 1, ref + 1, ref + 5, 1 << 20, chunkRef(1, 8), chunkRef(2 ** 20, 8), -1, Number.NaN];
  for (const bad of refs) expect(() => reader.chunk(bad), String(bad)).toThrow(CorruptionError);
  expect([refSegment(chunkRef(3, 0xffffffff)), refOffset(chunkRef(3, 0xffffffff))]).toEqual([3, 0xffffffff]);
});

test("every damaged byte gives an error or, in the padding, the right chunk", () => {
  const [fs, written] = write([
    [1, Uint8Array.from({ length: 200 }, (_, i) => i)],
    [2, Uint8Array.of(9)],
  ]);
  const good = fs.readFile("chunks/000001");
  for (let at = 0; at < good.length; at++) {
    const damaged = good.slice();
    damaged[at] ^= 1 << (at % 8);
    fs.open("chunks/000001", "replace").writeAt(damaged, 0);
    let errors = 0;
    try {
      const reader = open(fs);
      for (const { ref, data } of written) {
        try {
          expect(Buffer.compare(reader.chunk(ref).subarray(1), data)).toBe(0);
        } catch (error) {
          if (!(error instanceof CorruptionError)) throw error;
          errors++;
        }
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      errors++;
    }
    expect(errors, `byte ${at}`).toBe(at >= 5 && at < 8 ? 0 : 1);
  }
  for (let cut = 0; cut < good.length; cut++) {
    fs.open("chunks/000001", "replace").writeAt(good.subarray(0, cut), 0);
    expect(() => open(fs).chunk(written[1].ref), `cut at ${cut}`).toThrow(CorruptionError);
  }
});
