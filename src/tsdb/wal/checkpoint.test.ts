import { describe, expect, test } from "vitest";
import { ReplayedWal, recordsOf, walWorld } from "../../../test/tsdb/wal-world.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import { Histogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { faultFs } from "../../testkit/fault-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { encodeExemplars } from "../record/exemplars.ts";
import { encodeHistograms, encodeHistogramsWithStarts } from "../record/histograms.ts";
import { encodeMetadata } from "../record/metadata.ts";
import { encodeSamples, encodeSamplesWithStarts } from "../record/samples.ts";
import { addSeries, beginSeries } from "../record/series.ts";
import { encodeTombstones } from "../record/tombstones.ts";
import { type CheckpointOptions, writeCheckpoint } from "./checkpoint.ts";
import { lastCheckpoint, listCheckpoints } from "./checkpoint-dir.ts";
import { listSegments, pageBytes } from "./segment.ts";
import { Wal } from "./wal.ts";

function open(fs: Fs) {
  const world = walWorld(fs);
  const replayed = new ReplayedWal();
  const options = { quarantineDir: "quarantine", segmentBytes: pageBytes };
  return { ...world, replayed, wal: Wal.open(world, "wal", options, replayed) };
}

function record(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  write(out);
  return out.bytes().slice();
}

const series = (...walRefs: number[]) =>
  record((out) => {
    beginSeries(out);
    for (const walRef of walRefs) addSeries(out, walRef, Labels.of({ i: String(walRef) }));
  });

/** Samples [walRef, t], the value is a staleness marker. */
const histograms = (...rows: [walRef: number, t: number][]) => {
  const out = new ByteWriter();
  const histogram = new Histogram({ isFloat: false, count: 3, zeroCount: 3, sum: 1.5 });
  encodeHistograms(
    rows.map(([walRef, t]) => ({ walRef, t, histogram })),
    out,
  );
  return out.bytes().slice();
};
const samples = (...pairs: [number, number][]) =>
  record((out) => {
    const column = (at: 0 | 1) => Float64Array.from(pairs, (pair) => pair[at]);
    const stale = new Float64Array(BigUint64Array.from(pairs, () => 0x7ff0000000000002n).buffer);
    encodeSamples(column(0), column(1), stale, 0, pairs.length, out);
  });

const metadataOf = (walRef: number, help: string) => ({
  walRef,
  metadata: { type: "gauge", unit: "", help },
});

/** Puts each list of records into a segment of its own, and one empty one at the end. */
function written(fs: MemFs, ...segments: Uint8Array[][]) {
  const { wal, ...rest } = open(fs);
  for (const records of segments) {
    wal.log(records);
    wal.planCheckpoint();
  }
  return { wal, ...rest };
}

describe("what a checkpoint keeps", () => {
  const mint = 1000;
  const keep = (walRef: number) => walRef !== 2;
  const rows: [string, Uint8Array[], Uint8Array[]][] = [
    ["series that are needed", [series(1, 2, 3)], [series(1, 3)]],
    ["no record of series that are not", [series(2)], []],
    [
      "samples from mint on, of any series",
      [samples([1, 999], [2, 1000], [1, 1001], [3, 5])],
      [samples([2, 1000], [1, 1001])],
    ],
    ["nothing of a record of old samples", [samples([1, 999])], []],
    [
      "samples with start times from mint on, with these",
      [startSamples([4, 999, 50], [5, 2000, 50], [6, 2001, 60], [7, 5, 0]), startSamples([4, 2000, 9])],
      [startSamples([5, 2000, 50], [6, 2001, 60]), startSamples([4, 2000, 9])],
    ],
    ["nothing where all of them are old", [startSamples([4, 5, 1], [5, 999, 1])], []],
    [
      "likewise histograms with start times",
      [startHistograms([4, 999, 50], [5, 2000, 50], [6, 2001, 60])],
      [startHistograms([5, 2000, 50], [6, 2001, 60])],
    ],
    [
      "tombstones that reach mint, of series that are needed",
      [tombstones([1, 0, 999], [1, 0, 1000], [2, 0, 5000])],
      [tombstones([1, 0, 1000])],
    ],
    ["exemplars from mint on", [exemplars(999, 1000, 1001)], [exemplars(1000, 1001)]],
    [
      "the latest metadata of each needed series, at the end",
      [metadata([1, "old"], [2, "gone"]), samples([1, 1000]), metadata([1, "new"], [3, "three"])],
      [samples([1, 1000]), metadata([1, "new"], [3, "three"])],
    ],
    [
      "histograms from mint on",
      [histograms([1, 999], [2, 1000], [1, 1001]), histograms([1, 5])],
      [histograms([2, 1000], [1, 1001])],
    ],
    [
      "histograms that do not decode, markers and what it does not know, byte for byte",
      [7, 8, 9, 10, 12, 13, 5, 99].map((type) => Uint8Array.of(type, 1, 2, 3)),
      [7, 8, 9, 10, 12, 13, 5, 99].map((type) => Uint8Array.of(type, 1, 2, 3)),
    ],
  ];
  test.each(rows)("%s", (_, records, want) => {
    const fs = new MemFs();
    const world = written(fs, records, [series(9)]);
    writeCheckpoint(world, "wal", { from: 0, to: 0 }, { mint, keep });
    const checkpoint = lastCheckpoint(fs, "wal");
    expect(checkpoint).toEqual({ index: 0, path: "wal/checkpoint.00000000" });
    expect(recordsOf(fs, listSegments(fs, checkpoint!.path)).map(hex)).toEqual(want.map(hex));
  });
});

test("the counts of what was dropped", () => {
  const fs = new MemFs();
  const world = written(
    fs,
    [
      series(1, 2),
      samples([1, 5], [1, 2000]),
      tombstones([2, 0, 9]),
      exemplars(1),
      metadata([1, "a"], [1, "b"]),
    ],
    [series(3)],
  );
  const stats = writeCheckpoint(world, "wal", { from: 0, to: 0 }, { mint: 1000, keep: (ref) => ref === 1 });
  expect(stats).toEqual({
    totalSeries: 2,
    droppedSeries: 1,
    totalSamples: 2,
    droppedSamples: 1,
    totalTombstones: 1,
    droppedTombstones: 1,
    totalExemplars: 1,
    droppedExemplars: 1,
    totalMetadata: 2,
    droppedMetadata: 1,
  });
});

test("a checkpoint continues the last one, and replay reads it before the segments after it", () => {
  const fs = new MemFs();
  const everything: CheckpointOptions = { mint: 0, keep: () => true };
  const batch = (i: number) => [series(i), samples([i, 100 * i])];
  const { wal, ...world } = written(fs, batch(1), batch(2), batch(3), batch(4), batch(5));
  writeCheckpoint(world, "wal", { from: 0, to: 1 }, everything);
  expect(wal.dropCovered()).toBe(2);
  writeCheckpoint(world, "wal", { from: 2, to: 3 }, { mint: 200, keep: (walRef) => walRef > 1 });
  // Not removed yet: as after a crash. The older checkpoint and segments 2 and 3 must be passed over.
  const { replayed } = open(fs);
  expect(replayed.sampleLines.map((line) => line.split(" ")[1])).toEqual(["200", "300", "400", "500"]);
  expect([...replayed.labels.keys()]).toEqual([2, 3, 4, 5]);
  expect(wal.dropCovered()).toBe(4);
  expect(listCheckpoints(fs, "wal").map(({ index }) => index)).toEqual([3]);
  expect(listSegments(fs, "wal")[0].index).toBe(4);
  expect(open(fs).replayed.sampleLines).toEqual(replayed.sampleLines);
});

test("removals and those that fail are counted, and the next checkpoint removes what is left", () => {
  const fs = new MemFs();
  const everything: CheckpointOptions = { mint: 0, keep: () => true };
  const { wal: before, ...world } = written(fs, [series(1)], [series(2)], [series(3)], [series(4)]);
  before.close();
  writeCheckpoint(world, "wal", { from: 0, to: 0 }, everything);
  writeCheckpoint(world, "wal", { from: 1, to: 1 }, everything);
  let failing: string | undefined;
  const { wal } = open(
    faultFs(fs, ({ operation, path }) =>
      operation.startsWith("remove") && path === failing ? { code: "EIO" } : undefined,
    ),
  );
  failing = "wal/00000000";
  expect(() => wal.dropCovered()).toThrow("EIO");
  failing = "wal/checkpoint.00000000";
  expect(() => wal.dropCovered()).toThrow("EIO");
  expect(wal.removals).toEqual({
    truncations: 2,
    truncationsFailed: 1,
    checkpointDeletions: 1,
    checkpointDeletionsFailed: 1,
  });
  failing = undefined;
  expect(wal.dropCovered()).toBe(2);
  expect(listCheckpoints(fs, "wal").map(({ index }) => index)).toEqual([1]);
  expect(wal.removals).toMatchObject({ truncations: 3, checkpointDeletions: 2 });
});

test("the older two thirds are planned, as in Prometheus, and nothing while there are few segments", () => {
  const plans: unknown[] = [];
  const fs = new MemFs();
  const { wal } = open(fs);
  for (let i = 0; i < 7; i++) {
    wal.log([series(i)]);
    plans.push(wal.planCheckpoint());
  }
  // With segments 0 to n: last = n - 1, and to = last * 2 / 3.
  expect(plans).toEqual([
    undefined,
    undefined,
    undefined,
    { from: 0, to: 1 },
    { from: 0, to: 2 },
    { from: 0, to: 2 },
    { from: 0, to: 3 },
  ]);
});

test("what a checkpoint already stands for is not planned again", () => {
  const fs = new MemFs();
  const { wal, ...world } = written(fs, [series(1)], [series(2)], [series(3)], [series(4)], [series(5)]);
  writeCheckpoint(world, "wal", { from: 0, to: 2 }, { mint: 0, keep: () => true });
  expect(wal.planCheckpoint()).toBeUndefined();
  expect(() => writeCheckpoint(world, "wal", { from: 0, to: 2 }, { mint: 0, keep: () => true })).toThrow(
    RangeError,
  );
  expect(() => writeCheckpoint(world, "wal", { from: 4, to: 4 }, { mint: 0, keep: () => true })).toThrow(
    "gap",
  );
});

test("after a checkpoint without segments numbering goes on", () => {
  const fs = new MemFs();
  const { wal, ...world } = written(fs, [series(1)], [series(2)]);
  writeCheckpoint(world, "wal", { from: 0, to: 1 }, { mint: 0, keep: () => true });
  wal.dropCovered();
  fs.removeFile("wal/00000002");
  expect(open(fs).wal.position.segment).toBe(2);
});

test("a damaged segment stops a checkpoint and changes nothing", () => {
  const fs = new MemFs();
  const world = written(fs, [samples([1, 1])], [series(2)]);
  fs.open("wal/00000000", "write").writeAt(Uint8Array.of(0xff), 12);
  const before = fs.list("wal");
  expect(() => writeCheckpoint(world, "wal", { from: 0, to: 0 }, { mint: 0, keep: () => true })).toThrow(
    CorruptionError,
  );
  expect(fs.list("wal")).toEqual(before);
});

test("a damaged checkpoint loses the damaged record alone; the segments after it are replayed all the same", () => {
  const fs = new MemFs();
  const batch = (i: number) => [series(i), samples([i, 100 * i])];
  const { wal, ...world } = written(fs, batch(1), batch(2), batch(3), batch(4));
  writeCheckpoint(world, "wal", { from: 0, to: 1 }, { mint: 0, keep: () => true, compression: "none" });
  wal.dropCovered();
  const path = "wal/checkpoint.00000001/00000000";
  // Each batch takes 7 + 14 and 7 + 27 bytes: this is in the second one's series record.
  fs.open(path, "write").writeAt(Uint8Array.of(0xff), 60);
  const first = open(fs);
  expect(first.replayed.sampleLines.map((line) => line.split(" ")[1])).toEqual(["100", "200", "300", "400"]);
  expect([...first.replayed.labels.keys()]).toEqual([1, 3, 4]);
  expect(first.logger.at("warn").map(({ fields }) => fields.file)).toEqual([path]);
  expect(fs.list("quarantine")).toEqual([
    "checkpoint.00000001-00000000",
    "checkpoint.00000001-00000000.note.json",
  ]);
  const second = open(fs);
  expect(second.replayed.sampleLines).toEqual(first.replayed.sampleLines);
  expect(second.logger.lines).toEqual([]);
});

test("unfinished checkpoints are removed by the next start", () => {
  const fs = new MemFs();
  fs.makeDir("wal/checkpoint.00000007.tmp");
  fs.open("wal/checkpoint.00000007.tmp/00000000", "create").writeAt(new Uint8Array(5), 0);
  const { wal } = open(fs);
  expect(fs.list("wal")).toEqual(["00000000"]);
  expect(wal.position.segment).toBe(0);
});

type StartRow = [walRef: number, t: number, start: number];

function startSamples(...rows: StartRow[]): Uint8Array {
  const column = (at: 0 | 1 | 2) => Float64Array.from(rows, (row) => row[at]);
  return record((out) =>
    encodeSamplesWithStarts(column(0), column(1), column(0), column(2), 0, rows.length, out),
  );
}

function startHistograms(...rows: StartRow[]): Uint8Array {
  const histogram = new Histogram({ isFloat: true, count: 3, zeroCount: 3, sum: 1.5 });
  const entries = rows.map(([walRef, t, start]) => ({ walRef, t, histogram, start }));
  return record((out) => encodeHistogramsWithStarts(entries, out));
}

function tombstones(...entries: [number, number, number][]): Uint8Array {
  return record((out) =>
    encodeTombstones(
      entries.map(([walRef, mint, maxt]) => ({ walRef, mint, maxt })),
      out,
    ),
  );
}

function exemplars(...times: number[]): Uint8Array {
  const labels = Labels.of({ id: "x" });
  return record((out) =>
    encodeExemplars(
      times.map((t) => ({ walRef: 2, t, value: t, labels })),
      out,
    ),
  );
}

function metadata(...entries: [number, string][]): Uint8Array {
  return record((out) =>
    encodeMetadata(
      entries.map(([walRef, help]) => metadataOf(walRef, help)),
      out,
    ),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
