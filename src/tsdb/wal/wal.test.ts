import { describe, expect, test } from "vitest";
import { ReplayedWal, recordsOf, sampleLines, walWorld } from "../../../test/tsdb/wal-world.ts";
import { NarthexError } from "../../base/errors.ts";
import type { Fs } from "../../base/fs.ts";
import { readNotes } from "../../base/quarantine-note.ts";
import { Labels } from "../../model/labels.ts";
import { faultFs } from "../../testkit/fault-fs.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { forEachRecord } from "./repair.ts";
import { listSegments, pageBytes } from "./segment.ts";
import { Wal, type WalOptions } from "./wal.ts";
import { WalLog } from "./wal-log.ts";

const quarantineDir = "data/quarantine";

function open(fs: Fs, options: Partial<WalOptions> = {}) {
  const world = walWorld(fs);
  const replayed = new ReplayedWal();
  const wal = Wal.open(world, "data/wal", { quarantineDir, segmentBytes: pageBytes, ...options }, replayed);
  return { ...world, wal, log: new WalLog(wal), replayed };
}

const labelsOf = (walRef: number) => Labels.of({ __name__: "m", i: String(walRef) });

/** Logs a batch with one new series and a sample of it and of the series before it; returns its sample lines. */
function logBatch(log: WalLog, walRef: number): string[] {
  const walRefs = Float64Array.of(walRef, Math.max(1, walRef - 1));
  const t = Float64Array.of(1000 * walRef, 1000 * walRef);
  const v = Float64Array.of(walRef / 3, Number.NaN);
  const added = walRefs.slice(0, 1);
  log.logSeries({ n: 1, walRefs: added, labels: () => labelsOf(walRef) });
  log.logSamples(walRefs, t, v, 2);
  log.flush();
  return sampleLines(walRefs, t, v, 2);
}

test("what was logged is replayed, in order, by every later start", () => {
  const fs = new MemFs();
  const want: string[] = [];
  for (let start = 0; start < 3; start++) {
    const { wal, log, replayed } = open(fs);
    expect(replayed.sampleLines).toEqual(want);
    expect([...replayed.labels.keys()]).toEqual(Array.from({ length: start * 900 }, (_, i) => i + 1));
    expect(wal.replayed.walRefMax).toBe(start * 900);
    expect(wal.replayed.setAside).toEqual([]);
    for (let i = 1; i <= 900; i++) want.push(...logBatch(log, start * 900 + i));
    if (start === 1) wal.close();
  }
  expect(listSegments(fs, "data/wal").length).toBeGreaterThan(3);
});

test("every kind of record survives", () => {
  const fs = new MemFs();
  const { wal, log } = open(fs);
  const exemplar = { walRef: 7, t: 5, value: 0.25, labels: Labels.of({ trace_id: "abc" }) };
  const metadata = { walRef: 7, metadata: { type: "counter", unit: "seconds", help: "how\nlong" } };
  log.logSeries({ n: 1, walRefs: Float64Array.of(7), labels: () => labelsOf(7) });
  log.logMetadata([metadata]);
  log.logSamples(Float64Array.of(7), Float64Array.of(-5), Float64Array.of(1.5), 1);
  log.logExemplars([exemplar]);
  log.flush();
  log.logTombstones([{ walRef: 7, mint: -(2 ** 63), maxt: 2 ** 63 }]);
  wal.close();
  const { replayed } = open(fs);
  expect(replayed.labels.get(7)?.toString()).toBe('{__name__="m", i="7"}');
  expect(replayed.metadataEntries).toEqual([metadata]);
  expect(replayed.sampleLines).toEqual(["7 -5 3ff8000000000000"]);
  expect(replayed.exemplarEntries).toEqual([exemplar]);
  expect(replayed.tombstoneEntries).toEqual([{ walRef: 7, mint: -(2 ** 63), maxt: 2 ** 63 }]);
});

test("refs of series that nobody knows count for the highest ref", () => {
  const fs = new MemFs();
  const { log } = open(fs);
  log.logSamples(Float64Array.of(41, 99, 5), Float64Array.of(1, 1, 1), new Float64Array(3), 3);
  log.flush();
  expect(open(fs).wal.replayed.walRefMax).toBe(99);
});

describe("when the disk refuses", () => {
  test("a batch is in the log wholly or not at all, and logging goes on when it accepts again", () => {
    const disk = new MemFs();
    let isFull = false;
    const random = new SeededRandom(1);
    const fs = faultFs(disk, ({ operation, bytes }) =>
      isFull && (operation === "write" || operation === "create")
        ? { code: "ENOSPC", writtenBytes: random.below(bytes + 1) }
        : undefined,
    );
    const { wal, log } = open(fs);
    const want: string[] = [];
    for (let i = 1; i <= 2000; i++) {
      isFull = random.chance(0.3);
      try {
        want.push(...logBatch(log, i));
      } catch (error) {
        expect(error).toBeInstanceOf(NarthexError);
        expect(error).toMatchObject({ code: "STORAGE" });
        expect(String(error)).toContain("ENOSPC");
      }
    }
    expect(wal.stats.writesFailed).toBeGreaterThan(300);
    const { replayed } = open(disk.clone());
    expect(replayed.sampleLines).toEqual(want);
  });

  test("with sync always an unsynced batch is refused and taken back", () => {
    const disk = new MemFs();
    let fails = false;
    const fs = faultFs(disk, ({ operation }) =>
      fails && operation === "sync" ? { code: "EIO" } : undefined,
    );
    const { log } = open(fs, { sync: "always" });
    const want = logBatch(log, 1);
    fails = true;
    expect(() => logBatch(log, 2)).toThrow("EIO");
    fails = false;
    want.push(...logBatch(log, 3));
    expect(open(disk.crash("lost")).replayed.sampleLines).toEqual(want);
  });

  test("a full segment that cannot be synced is logged and counted, as Prometheus does", () => {
    const disk = new MemFs();
    const fs = faultFs(disk, ({ operation }) => (operation === "sync" ? { code: "EIO" } : undefined));
    const { wal, log, logger } = open(fs);
    logBatch(log, 1);
    wal.planCheckpoint();
    expect(wal.syncsFailed).toBe(1);
    expect(logger.at("error")).toHaveLength(1);
    expect(String(logger.at("error")[0].fields.error)).toContain("EIO");
  });
});

describe("when it is on the disk", () => {
  const lostAfter = (options: Partial<WalOptions>, waitMs: number) => {
    const fs = new MemFs();
    const { log, clock } = open(fs, options);
    const want = logBatch(log, 1);
    clock.advance(waitMs);
    const { replayed } = open(fs.crash("lost"));
    if (replayed.sampleLines.length === 0) return "lost";
    expect(replayed.sampleLines).toEqual(want);
    return "kept";
  };
  test.each([
    ["segment", { sync: "segment" } as const, 1e9, "lost"],
    ["interval, before it", { sync: "interval", syncIntervalMs: 500 } as const, 499, "lost"],
    ["interval, after it", { sync: "interval", syncIntervalMs: 500 } as const, 500, "kept"],
    ["always", { sync: "always" } as const, 0, "kept"],
    ["adaptive, before the interval", { sync: "adaptive", syncIntervalMs: 500 } as const, 499, "lost"],
    ["adaptive, after it", { sync: "adaptive", syncIntervalMs: 500 } as const, 500, "kept"],
  ])("%s", (_, options, waitMs, want) => {
    expect(lostAfter(options, waitMs)).toBe(want);
  });

  test("the interval's timer does not run while nothing is written, nor after close", () => {
    const { wal, log, clock } = open(new MemFs(), { sync: "interval" });
    expect(clock.pending).toBe(0);
    logBatch(log, 1);
    logBatch(log, 2);
    expect(clock.pending).toBe(1);
    clock.advance(1000);
    expect(clock.pending).toBe(0);
    logBatch(log, 3);
    wal.close();
    expect(clock.pending).toBe(0);
  });

  test("adaptive syncs nothing in rushed mode, and all of it afterwards", () => {
    const fs = traceFs(new MemFs(), "data");
    const { wal, log, clock } = open(fs, { sync: "adaptive" });
    const syncs = () => fs.takeTrace().filter((line) => line.startsWith("sync "));
    logBatch(log, 1);
    wal.rushed = true;
    for (let i = 2; i <= 4; i++) {
      logBatch(log, i);
      if (i < 4) wal.planCheckpoint();
      clock.advance(10_000);
    }
    expect(syncs()).toEqual([]);
    expect(clock.pending).toBe(0);
    wal.rushed = false;
    expect(syncs()).toEqual(["sync wal/00000000", "sync wal/00000001"]);
    clock.advance(1000);
    expect(syncs()).toEqual(["sync wal/00000002"]);
    wal.rushed = true;
    logBatch(log, 5);
    wal.planCheckpoint();
    wal.close();
    expect(syncs()).toEqual(["sync wal/00000002", "sync wal/00000003"]);
  });

  test.each(["segment", "interval", "always"] as const)("rushed mode changes nothing with %s", (sync) => {
    const fs = new MemFs();
    const { wal, log, clock } = open(fs, { sync });
    wal.rushed = true;
    const want = logBatch(log, 1);
    wal.planCheckpoint();
    logBatch(log, 2);
    clock.advance(sync === "interval" ? 1000 : 0);
    const { replayed } = open(fs.crash("lost"));
    expect(replayed.sampleLines.slice(0, want.length)).toEqual(want);
    expect(replayed.sampleLines.length > want.length).toBe(sync !== "segment");
  });

  test("full segments may be synced elsewhere; the writer does not wait for it", async () => {
    const paths: string[] = [];
    const took: number[] = [];
    const outcomes: { done: () => void; failed: (error: Error) => void }[] = [];
    const syncFull = (path: string) => {
      paths.push(path);
      return new Promise<void>((done, failed) => outcomes.push({ done, failed }));
    };
    const fs = traceFs(new MemFs(), "data");
    const { wal, log, clock, logger } = open(fs, { syncFull, onSync: (seconds) => took.push(seconds) });
    for (let i = 0; i < 3; i++) {
      logBatch(log, 1 + i);
      wal.planCheckpoint();
    }
    expect(paths).toEqual(["data/wal/00000000", "data/wal/00000001", "data/wal/00000002"]);
    clock.advance(2000);
    outcomes[0].done();
    outcomes[1].failed(new Error("EIO"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(took).toEqual([2]);
    expect(wal.syncsFailed).toBe(1);
    expect(logger.at("error")).toHaveLength(1);
    expect(fs.takeTrace().filter((line) => line.startsWith("sync "))).toEqual([]);
    // What is still under way at close is made sure of there.
    wal.close();
    expect(fs.takeTrace().filter((line) => line.startsWith("sync "))).toEqual([
      "sync wal/00000002",
      "sync wal/00000003",
    ]);
  });
});

test("what a killed writer left is on the disk before anything comes after it", () => {
  const fs = new MemFs();
  const want = logBatch(open(fs).log, 1);
  open(fs);
  expect(open(fs.crash("lost")).replayed.sampleLines).toEqual(want);
});

test("segments that somebody removed do not keep later ones from going into a checkpoint", () => {
  const fs = new MemFs();
  const first = open(fs);
  const checkpoint = ({ wal, ...world }: ReturnType<typeof open>) => {
    const plan = wal.planCheckpoint();
    if (plan === undefined) throw new Error("nothing to do");
    writeCheckpoint(world, "data/wal", plan, { mint: 0, keep: () => true });
    wal.dropCovered();
    return plan;
  };
  for (let i = 1; i <= 2700; i++) logBatch(first.log, i);
  const { to } = checkpoint(first);
  for (let i = 2701; i <= 5400; i++) logBatch(first.log, i);
  first.wal.close();
  fs.removeFile(`data/wal/${String(to + 1).padStart(8, "0")}`);
  const second = open(fs);
  expect(second.logger.at("warn")).toHaveLength(1);
  expect(checkpoint(second)).toMatchObject({ from: to + 1 });
  second.wal.close();
  expect(open(fs).replayed.sampleLines).toEqual(second.replayed.sampleLines);
});

test("each operation's calls, in their order", () => {
  const fs = traceFs(new MemFs(), "data");
  const { wal, log, codecs, logger } = open(fs, { sync: "always", compression: "none" });
  expect(fs.takeTrace()).toEqual(["makeDir wal", "create wal/00000000", "syncDir wal"]);

  logBatch(log, 1);
  expect(fs.takeTrace(), "append").toEqual(["write wal/00000000 0+76", "sync wal/00000000"]);

  wal.planCheckpoint();
  expect(fs.takeTrace(), "segment cut").toEqual([
    "write wal/00000000 76+32692",
    "create wal/00000001",
    "syncDir wal",
    "sync wal/00000000",
  ]);

  for (let i = 2; i < 5; i++) {
    logBatch(log, i);
    wal.planCheckpoint();
  }
  logBatch(log, 5);
  const plan = wal.planCheckpoint();
  expect(plan).toEqual({ from: 0, to: 2 });
  fs.takeTrace();
  writeCheckpoint({ fs, logger, codecs }, wal.dir, plan!, {
    mint: 3000,
    keep: (walRef) => walRef > 1,
    compression: "none",
  });
  expect(fs.takeTrace(), "checkpoint").toEqual([
    "makeDir wal/checkpoint.00000002.tmp",
    "create wal/checkpoint.00000002.tmp/00000000",
    "syncDir wal/checkpoint.00000002.tmp",
    "write wal/checkpoint.00000002.tmp/00000000 0+108",
    "write wal/checkpoint.00000002.tmp/00000000 108+32660",
    "sync wal/checkpoint.00000002.tmp/00000000",
    "syncDir wal/checkpoint.00000002.tmp",
    "rename wal/checkpoint.00000002.tmp -> wal/checkpoint.00000002",
    "syncDir wal",
  ]);
  expect(wal.dropCovered()).toBe(3);
  expect(fs.takeTrace(), "truncation").toEqual([
    "removeFile wal/00000000",
    "removeFile wal/00000001",
    "removeFile wal/00000002",
  ]);
  logBatch(log, 6);
  fs.takeTrace();
  wal.close();
  expect(fs.takeTrace(), "close").toEqual(["write wal/00000005 76+32692", "sync wal/00000005"]);
});

describe("a damaged WAL", () => {
  /** Three segments of a few batches each. */
  function written() {
    const fs = new MemFs();
    const lines: string[][] = [];
    for (let segment = 0; segment < 3; segment++) {
      const { log } = open(fs, { compression: "none" });
      for (let i = 0; i < 3; i++) lines.push(logBatch(log, lines.length + 1));
    }
    return { fs, lines };
  }

  test("loses the damaged record alone; its segment is kept aside as it was; writing goes on", () => {
    const { fs, lines } = written();
    const damagedAt = 150;
    const original = fs.readFile("data/wal/00000001");
    original[damagedAt] ^= 1;
    fs.open("data/wal/00000001", "write").writeAt(original, 0);
    const later = fs.readFile("data/wal/00000002");
    const { wal, log, replayed, logger } = open(fs);
    // The fifth batch's samples are damaged; its series record came before and is whole.
    const sound = [...lines.slice(0, 4), ...lines.slice(5)].flat();
    expect(replayed.sampleLines).toEqual(sound);
    expect(wal.replayed.setAside.map(({ from, to }) => `${from} -> ${to}`)).toEqual([
      "data/wal/00000001 -> data/quarantine/wal-00000001",
    ]);
    expect(fs.list("data/quarantine")).toEqual(["wal-00000001", "wal-00000001.note.json"]);
    expect(fs.readFile("data/quarantine/wal-00000001")).toEqual(original);
    const note = readNotes(fs, "data/quarantine").get("wal-00000001");
    expect(note?.problems).toEqual([expect.stringMatching(/checksum .* \(at byte \d+\)$/)]);
    expect(fs.readFile("data/wal/00000002")).toEqual(later);
    expect(fs.stat("data/wal/00000001")?.sizeBytes).toBe(pageBytes);
    expect(wal.position.segment).toBe(3);
    expect(logger.at("warn").map(({ fields }) => fields.file)).toEqual(["data/wal/00000001"]);
    const more = logBatch(log, 50);
    const again = open(fs);
    expect(again.replayed.sampleLines).toEqual([...sound, ...more]);
    expect(again.wal.replayed.setAside).toEqual([]);
  });

  test("records after a lost page, a lost fragment, and several damaged places", () => {
    const fs = new MemFs();
    const { wal } = open(fs, { compression: "none", segmentBytes: 64 * pageBytes });
    const records = Array.from({ length: 40 }, (_, i) => Uint8Array.from({ length: 7000 + i }, () => i));
    // Type 99 is passed over by replay, so only the reader is tested.
    for (const record of records) record[0] = 99;
    for (const record of records) wal.log([record]);
    wal.close();
    const file = fs.open("data/wal/00000000", "write");
    // In the middle of the second page; in the header of a fragment of the fourth; in the type byte of the first.
    file.writeAt(new Uint8Array(300).fill(0xff), pageBytes + 9000);
    file.writeAt(Uint8Array.of(0x77), 3 * pageBytes + 1);
    file.writeAt(Uint8Array.of(7), 0);
    const kept = (): number[] => {
      const numbers: number[] = [];
      const reading = { fs, codecs: walWorld(fs).codecs };
      forEachRecord(reading, listSegments(fs, "data/wal")[0], ({ record }) => {
        expect(record.length).toBe(7000 + record[1]);
        numbers.push(record[1]);
      });
      return numbers;
    };
    const before = kept();
    // The second place covers the header of record 6, so the page is lost up to record 9, which ends in the next.
    // The third spoils a length, which the checksum tells.
    const lost = [0, 5, 6, 7, 8, 9, 14];
    expect(before).toEqual(records.map((_, i) => i).filter((i) => !lost.includes(i)));
    expect(open(fs).wal.replayed.setAside).toHaveLength(1);
    expect(kept()).toEqual(before);
    expect(open(fs).wal.replayed.setAside).toEqual([]);
  });

  test("a record of which only whole pages were written is cut off", () => {
    const { fs, lines } = written();
    const { wal } = open(fs, { compression: "none", segmentBytes: 8 * pageBytes });
    const long = new Uint8Array(2.5 * pageBytes);
    // A type that replay passes over.
    long[0] = 99;
    wal.log([long]);
    const path = `data/wal/0000000${wal.position.segment}`;
    for (const pages of [2, 1]) {
      const copy = fs.clone();
      copy.open(path, "write").truncate(pages * pageBytes);
      const { replayed, wal: reopened, log } = open(copy);
      expect(replayed.sampleLines).toEqual(lines.flat());
      expect(reopened.replayed.setAside[0].reason).toContain("the segment ends within a record");
      const more = logBatch(log, 80);
      const again = open(copy);
      expect(again.replayed.sampleLines).toEqual([...lines.flat(), ...more]);
      expect(again.wal.replayed.setAside).toEqual([]);
    }
  });

  test("a record that does not decode is damage too", () => {
    const { fs, lines } = written();
    const { wal } = open(fs, { compression: "none" });
    // A samples record whose last value is cut off.
    wal.log([Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3)]);
    const { replayed, wal: reopened } = open(fs);
    expect(replayed.sampleLines).toEqual(lines.flat());
    expect(reopened.replayed.setAside[0].reason).toContain("does not decode");
  });

  test("records of a future type and strange histograms are passed over, not cut off", () => {
    const { fs, lines } = written();
    const { wal, log } = open(fs, { compression: "none" });
    wal.log([Uint8Array.of(77, 1, 2), Uint8Array.of(7, 1, 2, 3), new Uint8Array(0)]);
    const more = logBatch(log, 60);
    const { replayed, wal: reopened, logger } = open(fs);
    expect(replayed.sampleLines).toEqual([...lines.flat(), ...more]);
    expect(reopened.replayed.setAside).toEqual([]);
    expect(logger.at("warn").map(({ message }) => message)).toEqual([
      "A histogram record of the write-ahead log could not be followed; it is kept",
    ]);
  });

  test("a missing segment is named in the log, and the others are replayed", () => {
    const { fs, lines } = written();
    fs.removeFile("data/wal/00000001");
    const { replayed, logger } = open(fs);
    expect(replayed.sampleLines).toEqual([...lines.slice(0, 3).flat(), ...lines.slice(6).flat()]);
    expect(logger.at("warn")).toMatchObject([{ fields: { missingFrom: 1, missingTo: 1 } }]);
  });

  test("any truncation of the last segment: a prefix is replayed, and the next start finds nothing to repair", () => {
    const { fs, lines } = written();
    const whole = fs.readFile("data/wal/00000002").length;
    for (let length = 0; length < whole; length += 7) {
      const copy = fs.clone();
      copy.open("data/wal/00000002", "write").truncate(length);
      const { replayed, log } = open(copy);
      expect(lines.flat().slice(0, replayed.sampleLines.length)).toEqual(replayed.sampleLines);
      expect(replayed.sampleLines.length).toBeGreaterThanOrEqual(12);
      const more = logBatch(log, 70);
      const again = open(copy);
      expect(again.replayed.sampleLines).toEqual([...replayed.sampleLines, ...more]);
      expect(again.wal.replayed.setAside).toEqual([]);
    }
  });
});

test("sizes and positions", () => {
  const fs = new MemFs();
  const { wal, log } = open(fs, { compression: "none" });
  expect(wal.position).toEqual({ segment: 0, offset: 0 });
  logBatch(log, 1);
  expect(wal.position).toEqual({ segment: 0, offset: 76 });
  expect(wal.sizeBytes()).toBe(76);
  expect(recordsOf(fs, listSegments(fs, wal.dir)).map(([type]) => type)).toEqual([1, 2]);
});
