import { describe, expect, test } from "vitest";
import { CorruptionError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import { readNotes } from "../../base/quarantine-note.ts";
import { failNth, faultFs } from "../../testkit/fault-fs.ts";
import { interceptFs } from "../../testkit/intercept-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { RecordingLogger } from "../../testkit/recording-logger.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { HeadChunkReader } from "./head-chunk-reader.ts";
import { scanHeadChunks } from "./head-chunk-scan.ts";
import { HeadChunkWriter } from "./head-chunk-writer.ts";
import {
  entryFixedBytes,
  headChunkHeaderBytes,
  headChunkOffset,
  headChunkRef,
  headChunkSegment,
  outOfOrderBit,
} from "./head-chunks.ts";
import { legibleChunks } from "./legible-chunks.ts";

const dir = "data/chunks_head";

interface TestChunk {
  readonly walRef: number;
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly bytes: Uint8Array;
}

function chunk(random: SeededRandom, i: number, length = 20 + random.below(300)): TestChunk {
  const bytes = Uint8Array.from({ length }, () => random.u32());
  return { walRef: 1 + random.below(1000), mint: i * 100 - 500, maxt: i * 100 - 401, encoding: 1, bytes };
}

function append(writer: HeadChunkWriter, { walRef, mint, maxt, encoding, bytes }: TestChunk): number {
  return writer.append(walRef, mint, maxt, encoding, bytes);
}

function scan(fs: Fs, visit: (walRef: number, mint: number) => string = () => "") {
  const logger = new RecordingLogger();
  const found: { ref: number; walRef: number; mint: number; maxt: number; encoding: number; n: number }[] =
    [];
  const result = scanHeadChunks({ fs, logger }, dir, "data/quarantine", (at) => {
    const problem = visit(at.walRef, at.mint);
    if (problem === "") {
      found.push({
        ref: at.ref,
        walRef: at.walRef,
        mint: at.mint,
        maxt: at.maxt,
        encoding: at.encoding | (at.outOfOrder ? outOfOrderBit : 0),
        n: at.sampleCount,
      });
    }
    return problem;
  });
  return { ...result, found, logger };
}

/** Writes `count` chunks into files of about `fileBytesMax`. */
function written(fs: Fs, count: number, fileBytesMax = 2000, seed = 1) {
  const random = new SeededRandom(seed);
  const writer = HeadChunkWriter.open({ fs }, dir, undefined, { fileBytesMax });
  const chunks = Array.from({ length: count }, (_, i) => chunk(random, i));
  const refs = chunks.map((one) => append(writer, one));
  return { writer, chunks, refs };
}

test("refs: file and offset in one number, exactly", () => {
  for (const [segment, offset] of [
    [1, 8],
    [0, 0],
    [2 ** 21 - 1, 2 ** 32 - 1],
  ]) {
    const ref = headChunkRef(segment, offset);
    expect([headChunkSegment(ref), headChunkOffset(ref)]).toEqual([segment, offset]);
  }
});

describe("chunks come back as they were written", () => {
  test.each([
    ["through a cache that holds everything", 1 << 20, 16],
    ["through one page and one file", 1, 1],
  ])("%s", (_, cacheBytes, openFilesMax) => {
    const fs = new MemFs();
    const { writer, chunks, refs } = written(fs, 200, 20_000);
    writer.flush();
    const reader = new HeadChunkReader({ fs, cache: new PageCache(cacheBytes) }, dir, { openFilesMax });
    const random = new SeededRandom(2);
    for (let i = 0; i < 400; i++) {
      const at = random.below(chunks.length);
      const { walRef, mint, maxt, encoding, outOfOrder, bytes } = reader.read(refs[at]);
      expect({ walRef, mint, maxt, encoding, bytes: Buffer.from(bytes) }).toEqual({
        ...chunks[at],
        bytes: Buffer.from(chunks[at].bytes),
      });
      expect(outOfOrder).toBe(false);
    }
    reader.close();
  });

  test("by a reader that was there before they were", () => {
    const fs = new MemFs();
    const writer = HeadChunkWriter.open({ fs }, dir);
    const reader = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, dir);
    const random = new SeededRandom(3);
    for (let i = 0; i < 50; i++) {
      const one = chunk(random, i);
      const ref = append(writer, one);
      writer.flush();
      expect(Buffer.from(reader.read(ref).bytes)).toEqual(Buffer.from(one.bytes));
    }
  });

  test("also when they are bigger than a page, or empty, or out of order", () => {
    const fs = new MemFs();
    const writer = HeadChunkWriter.open({ fs }, dir);
    const random = new SeededRandom(4);
    const big = chunk(random, 1, 40_000);
    const empty = chunk(random, 2, 0);
    const late = { ...chunk(random, 3), encoding: 1 | outOfOrderBit };
    const refs = [big, empty, late].map((one) => append(writer, one));
    writer.flush();
    const reader = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, dir);
    expect(refs.map((ref) => reader.read(ref).bytes.length)).toEqual([40_000, 0, late.bytes.length]);
    expect(reader.read(refs[2])).toMatchObject({ encoding: 1, outOfOrder: true });
  });

  test("not before they are flushed, and never from a wrong ref", () => {
    const fs = new MemFs();
    const { writer, refs } = written(fs, 3, 1e6);
    const reader = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, dir);
    expect(() => reader.read(refs[0])).toThrow(CorruptionError);
    writer.flush();
    expect(reader.read(refs[0]).walRef).toBeGreaterThan(0);
    for (let offset = 0; offset < 700; offset++) {
      const ref = headChunkRef(1, offset);
      if (!refs.includes(ref)) expect(() => reader.read(ref), `offset ${offset}`).toThrow(CorruptionError);
    }
    expect(() => reader.read(headChunkRef(7, 8))).toThrow("ENOENT");
  });
});

test("a reader keeps few files open, and none that were removed", () => {
  const disk = new MemFs();
  const open: string[] = [];
  const fs = interceptFs(disk, ({ operation, path }, run) => {
    if (operation === "open") open.push(path.slice(-1));
    if (operation === "close") open.splice(open.indexOf(path.slice(-1)), 1);
    return run();
  });
  const { writer, refs } = written(disk, 40);
  writer.flush();
  const firstOf = (segment: number) => refs.find((ref) => headChunkSegment(ref) === segment) as number;
  const reader = new HeadChunkReader({ fs, cache: new PageCache(1) }, dir, { openFilesMax: 2 });
  const seen = [1, 2, 1, 3, 4, 3].map((segment) => {
    reader.read(firstOf(segment));
    return open.join("");
  });
  expect(seen).toEqual(["1", "12", "12", "13", "34", "34"]);
  disk.removeFile(`${dir}/000003`);
  reader.read(firstOf(3));
  reader.read(firstOf(5));
  expect(open.join("")).toBe("45");
  reader.close();
  reader.close();
  expect(open).toEqual([]);
});

describe("scan", () => {
  test("finds every chunk in order, and the newest time of each file", () => {
    const fs = new MemFs();
    const { writer, chunks, refs } = written(fs, 60);
    writer.close();
    const { found, chunkCount, files, setAside } = scan(fs);
    expect(found).toEqual(
      chunks.map(({ walRef, mint, maxt, encoding, bytes }, i) => {
        const n = bytes[0] * 256 + bytes[1];
        return { ref: refs[i], walRef, mint, maxt, encoding, n };
      }),
    );
    expect(chunkCount).toBe(60);
    expect(setAside).toEqual([]);
    const want = new Map<number, number>();
    for (const [i, { maxt }] of chunks.entries()) want.set(headChunkSegment(refs[i]), maxt);
    expect(new Map([...files].map(([segment, { maxt }]) => [segment, maxt]))).toEqual(want);
  });

  test("chunks bigger than what is read at once", () => {
    const fs = new MemFs();
    const writer = HeadChunkWriter.open({ fs }, dir);
    const random = new SeededRandom(5);
    const sizes = [100, 1_500_000, 50, 1_048_576, 1];
    for (const [i, size] of sizes.entries()) append(writer, chunk(random, i, size));
    writer.close();
    expect(scan(fs).chunkCount).toBe(sizes.length);
  });

  test("nothing is there yet", () => {
    expect(scan(new MemFs())).toMatchObject({ chunkCount: 0, setAside: [] });
  });

  test("zeros after the last chunk are the preallocation of a file that was not closed", () => {
    const fs = new MemFs();
    const { writer } = written(fs, 3, 1e6);
    writer.flush();
    for (const zeros of [1, 20, 33, 34, 35, 5000]) {
      const copy = fs.clone();
      const file = copy.open(`${dir}/000001`, "write");
      file.writeAt(new Uint8Array(zeros), file.size());
      expect(scan(copy), `${zeros} zeros`).toMatchObject({ chunkCount: 3, setAside: [] });
    }
  });

  test.each([
    ["empty", new Uint8Array(0)],
    ["of zeros", new Uint8Array(4096)],
  ])("a last file that is %s is removed", (_, content) => {
    const fs = new MemFs();
    const { writer } = written(fs, 3, 1e6);
    writer.close();
    fs.open(`${dir}/000002`, "create").writeAt(content, 0);
    expect(scan(fs)).toMatchObject({ chunkCount: 3, setAside: [] });
    expect(fs.list(dir)).toEqual(["000001"]);
  });

  test("out-of-order chunks: their file stays until blocks have them", () => {
    const fs = new MemFs();
    const random = new SeededRandom(6);
    const writer = HeadChunkWriter.open({ fs }, dir);
    append(writer, { ...chunk(random, 1), encoding: 2 | outOfOrderBit });
    writer.close();
    const { found, files } = scan(fs);
    expect(found[0].encoding).toBe(2 | outOfOrderBit);
    const reopened = HeadChunkWriter.open({ fs }, dir, files);
    expect(reopened.truncate(1e9)).toBe(1);
    expect(fs.list(dir)).toEqual(["000001"]);
    reopened.dropLate(found[0].ref);
    expect(reopened.truncate(1e9)).toBe(2);
    expect(fs.list(dir)).toEqual([]);
  });

  test("after a file with out-of-order chunks old ones are emptied, so that the numbers have no gap", () => {
    const fs = new MemFs();
    const random = new SeededRandom(6);
    const open = () => HeadChunkWriter.open({ fs }, dir, scan(fs).files, { fileBytesMax: 700 });
    let writer = open();
    const chunks = Array.from({ length: 20 }, (_, i) => chunk(random, i, 200));
    append(writer, chunks[0]);
    writer.cut();
    append(writer, { ...chunk(random, 1), encoding: 1 | outOfOrderBit });
    writer.close();
    writer = open();
    for (const one of chunks.slice(1)) append(writer, one);
    writer.flush();
    const names = fs.list(dir);
    expect(writer.truncate(chunks[12].mint)).toBe(2);
    expect(fs.list(dir)).toEqual(names.slice(1));
    const before = scan(fs.clone());
    expect(before.setAside).toEqual([]);
    expect(before.found.filter(({ encoding }) => encoding < outOfOrderBit)[0].maxt).toBeGreaterThanOrEqual(
      chunks[10].mint,
    );
    expect(before.found.map(({ mint }) => mint)).toEqual(
      expect.arrayContaining(chunks.slice(12).map(({ mint }) => mint)),
    );
    writer.close();
    writer = open();
    expect(writer.truncate(1e9)).toBe(2);
    expect(scan(fs)).toMatchObject({ chunkCount: 1, setAside: [] });
    expect(fs.list(dir)).toEqual(names.slice(1));
  });

  const damages: [string, (fs: MemFs) => void, number, string[]][] = [
    ["a byte of a chunk", (fs) => flip(fs, `${dir}/000002`, 300), 2, ["000001", "000002"]],
    ["the magic number", (fs) => flip(fs, `${dir}/000002`, 0), 2, ["000001"]],
    ["the version", (fs) => flip(fs, `${dir}/000002`, 4), 2, ["000001"]],
    ["a missing file", (fs) => fs.removeFile(`${dir}/000002`), 2, ["000001"]],
    [
      "a file cut short",
      (fs) => fs.open(`${dir}/000003`, "write").truncate(500),
      3,
      ["000001", "000002", "000003"],
    ],
    ["a file cut within its header", (fs) => fs.open(`${dir}/000002`, "write").truncate(5), 2, ["000001"]],
  ];
  test.each(damages)("%s: a prefix is left, the rest is kept aside", (_, damage, segment, left) => {
    const fs = new MemFs();
    const { writer, chunks } = written(fs, 40);
    writer.close();
    const all = scan(fs.clone()).found;
    damage(fs);
    const first = scan(fs);
    expect(first.found).toEqual(all.slice(0, first.found.length));
    expect(first.found.filter(({ ref }) => headChunkSegment(ref) < segment)).toEqual(
      all.filter(({ ref }) => headChunkSegment(ref) < segment),
    );
    expect(fs.list(dir)).toEqual(left);
    expect(first.setAside.length).toBeGreaterThan(0);
    expect(first.logger.at("warn").map(({ fields }) => fields.movedTo)).toEqual(
      first.setAside.map(({ to }) => to),
    );
    for (const { to } of first.setAside) {
      expect(readNotes(fs, "data/quarantine").has(to.slice("data/quarantine/".length)), to).toBe(true);
    }
    const second = scan(fs);
    expect(second.found).toEqual(first.found);
    expect(second.setAside).toEqual([]);
    // Writing goes on in a new file.
    const more = HeadChunkWriter.open({ fs }, dir, second.files);
    append(more, chunks[0]);
    more.close();
    expect(scan(fs)).toMatchObject({ chunkCount: first.found.length + 1, setAside: [] });
  });

  test("every byte of a file changed: what is found is a prefix, with nothing wrong in it", () => {
    const fs = new MemFs();
    const { writer } = written(fs, 4, 1e6);
    writer.close();
    const all = scan(fs.clone()).found;
    const size = fs.stat(`${dir}/000001`)!.sizeBytes;
    for (let at = 0; at < size; at++) {
      const copy = fs.clone();
      flip(copy, `${dir}/000001`, at);
      const { found, setAside } = scan(copy);
      expect(found, `byte ${at}`).toEqual(all.slice(0, found.length));
      // The padding of the header means nothing.
      expect(setAside.length, `byte ${at}`).toBe(at >= 5 && at < 8 ? 0 : 1);
    }
  });

  test.each([
    ["a sound file", -1, 0, 10],
    ["a byte of the header", 2, 0, 10],
    ["a byte of a chunk's data", 60, 0, 10],
    ["the length of the first chunk", headChunkHeaderBytes + entryFixedBytes, 0, 0],
    ["a byte of a chunk, the file from there on", 60, headChunkHeaderBytes, 10],
  ])("what can be read of a damaged file: %s", (_, at, from, count) => {
    const fs = new MemFs();
    const { writer, chunks } = written(fs, 10, 1e6);
    writer.close();
    if (at >= 0) flip(fs, `${dir}/000001`, at);
    fs.open("copy", "create").writeAt(fs.readFile(`${dir}/000001`).subarray(from), 0);
    const want = chunks.map(({ walRef, mint, maxt, bytes }) => {
      return { walRef, mint, maxt, samples: (bytes[0] << 8) | bytes[1], outOfOrder: false };
    });
    expect(legibleChunks(fs, "copy")).toEqual(want.slice(0, count));
  });

  test("a chunk that the visitor refuses is damage", () => {
    const fs = new MemFs();
    const { writer, chunks } = written(fs, 10, 1e6);
    writer.close();
    const refused = chunks[6].mint;
    const { found, setAside } = scan(fs, (_, mint) => (mint === refused ? "older than the one before" : ""));
    expect(found).toHaveLength(6);
    expect(setAside[0].reason).toContain("older than the one before");
    expect(scan(fs)).toMatchObject({ chunkCount: 6, setAside: [] });
  });
});

describe("writing", () => {
  test("a start begins a new file", () => {
    const fs = new MemFs();
    for (const want of [1, 2, 3]) {
      const { writer, refs } = written(fs, 1, 1e6);
      expect(headChunkSegment(refs[0])).toBe(want);
      writer.close();
      writer.close();
    }
  });

  test("what a killed writer left is on the disk before anything comes after it", () => {
    const fs = new MemFs();
    const { writer, refs } = written(fs, 3, 1e6);
    writer.flush();
    HeadChunkWriter.open({ fs }, dir);
    expect(scan(fs.crash("lost")).found.map(({ ref }) => ref)).toEqual(refs);
  });

  test("old files are dropped up to the first with something young, and the current one is cut", () => {
    const fs = new MemFs();
    const { writer, chunks, refs } = written(fs, 40);
    writer.flush();
    const reader = new HeadChunkReader({ fs, cache: new PageCache(1 << 20) }, dir);
    reader.read(refs[0]);
    const first = headChunkSegment(refs[20]);
    expect(writer.truncate(chunks[20].mint)).toBe(first);
    expect(fs.list(dir)[0]).toBe(String(first).padStart(6, "0"));
    expect(reader.read(refs[20]).walRef).toBe(chunks[20].walRef);
    expect(() => reader.read(refs[0])).toThrow("ENOENT");
    const newest = writer.segment;
    append(writer, chunks[0]);
    expect(writer.segment).toBe(newest + 1);
    expect(writer.truncate(1e9)).toBe(newest + 2);
    expect(fs.list(dir)).toEqual([]);
    append(writer, chunks[0]);
    writer.close();
    expect(fs.list(dir)).toEqual([String(newest + 2).padStart(6, "0")]);
  });

  test("each operation's calls, in their order", () => {
    const fs = traceFs(new MemFs(), "data");
    const { writer } = written(fs, 2, 1e6);
    writer.flush();
    expect(fs.takeTrace(), "append and flush").toEqual([
      "makeDir chunks_head",
      "replace chunks_head/000001",
      "write chunks_head/000001 0+8",
      "syncDir chunks_head",
      expect.stringMatching(/^write chunks_head\/000001 8\+\d+$/),
    ]);
    append(writer, chunk(new SeededRandom(1), 5, 100));
    writer.cut();
    append(writer, chunk(new SeededRandom(1), 6, 100));
    expect(
      fs.takeTrace().map((line) => line.split(" ").slice(0, 2).join(" ")),
      "cut",
    ).toEqual([
      "write chunks_head/000001",
      "sync chunks_head/000001",
      "replace chunks_head/000002",
      "write chunks_head/000002",
      "syncDir chunks_head",
    ]);
    writer.truncate(150);
    expect(fs.takeTrace(), "truncation").toEqual([
      "write chunks_head/000002 8+130",
      "sync chunks_head/000002",
      "removeFile chunks_head/000001",
    ]);
  });

  test("a failed flush can be repeated, a failed cut too", () => {
    const disk = new MemFs();
    for (let nth = 1; nth <= 14; nth++) {
      const fs = faultFs(
        disk,
        failNth(nth, { code: "ENOSPC", writtenBytes: 3 }, ({ operation }) =>
          ["write", "replace", "sync", "syncDir"].includes(operation),
        ),
      );
      disk.removeDir(dir);
      const writer = HeadChunkWriter.open({ fs }, dir, undefined, { fileBytesMax: 700 });
      const random = new SeededRandom(nth);
      const insist = (action: () => unknown): number => {
        try {
          return Number(action());
        } catch (error) {
          expect(String(error)).toContain("ENOSPC");
          return Number(action());
        }
      };
      const want: [number, number][] = [];
      for (let i = 0; i < 12; i++) {
        const one = chunk(random, i, 100 + random.below(100));
        want.push([insist(() => append(writer, one)), one.walRef]);
        if (i % 3 === 0) insist(() => writer.flush());
      }
      insist(() => writer.flush());
      const { found } = scan(disk);
      expect(
        found.map(({ ref, walRef }) => [ref, walRef]),
        `failure ${nth}`,
      ).toEqual(want);
    }
  });

  test("power cut before every operation: what a scan finds is a prefix, with everything of the synced files", () => {
    const disk = new MemFs();
    const moments: [string, MemFs, flushed: number, synced: number][] = [];
    let flushed = 0;
    let synced = 0;
    const fs = traceFs(disk, "data", (line) => moments.push([line, disk.clone(), flushed, synced]));
    const writer = HeadChunkWriter.open({ fs }, dir, undefined, { fileBytesMax: 1500 });
    const random = new SeededRandom(9);
    const refs: number[] = [];
    for (let i = 0; i < 40; i++) {
      const segment = writer.segment;
      refs.push(append(writer, chunk(random, i)));
      if (writer.segment !== segment) synced = refs.length - 1;
      if (i % 4 !== 3) continue;
      writer.flush();
      flushed = refs.length;
    }
    const coin = new SeededRandom(10);
    for (const [line, then, flushedThen, syncedThen] of moments) {
      for (const [loss, owed] of [
        ["kept", flushedThen],
        ["lost", syncedThen],
        [coin, syncedThen],
      ] as const) {
        const after = then.crash(loss);
        const { found } = scan(after);
        expect(
          found.map(({ ref }) => ref),
          `before ${line}`,
        ).toEqual(refs.slice(0, found.length));
        expect(found.length, `before ${line}`).toBeGreaterThanOrEqual(owed);
        expect(scan(after).setAside).toEqual([]);
      }
    }
  });
});

function flip(fs: MemFs, path: string, at: number): void {
  const file = fs.open(path, "write");
  const byte = new Uint8Array(1);
  file.readAt(byte, at);
  byte[0] ^= 0x55;
  file.writeAt(byte, at);
}
