// The power is cut before every single file operation of a start that finds its WAL damaged.
import { describe, expect, test } from "vitest";
import { ReplayedWal, sampleLines, walWorld } from "../../../test/tsdb/wal-world.ts";
import type { Fs } from "../../base/fs.ts";
import { Labels } from "../../model/labels.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { traceFs } from "../../testkit/trace-fs.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { pageBytes } from "./segment.ts";
import { Wal } from "./wal.ts";
import { WalLog } from "./wal-log.ts";

function open(fs: Fs) {
  const world = walWorld(fs);
  const replayed = new ReplayedWal();
  const options = { quarantineDir: "data/quarantine", compression: "none", segmentBytes: pageBytes } as const;
  return { ...world, replayed, wal: Wal.open(world, "data/wal", options, replayed) };
}

/** Four segments with a batch each, the first two replaced by a checkpoint; all on the disk. */
function undamaged(): MemFs {
  const fs = new MemFs();
  const { wal, ...world } = open(fs);
  const log = new WalLog(wal);
  for (let i = 1; i <= 4; i++) {
    const column = Float64Array.of(i, i);
    log.logSeries({ n: 1, walRefs: Float64Array.of(i), labels: () => Labels.of({ i: String(i) }) });
    log.logSamples(column, column, column, 2);
    log.flush();
    wal.planCheckpoint();
  }
  writeCheckpoint(world, "data/wal", { from: 0, to: 1 }, { mint: 0, keep: () => true, compression: "none" });
  wal.dropCovered();
  wal.close();
  return fs.crash("kept");
}

const all = (() => {
  const { replayed } = open(undamaged());
  return replayed.sampleLines;
})();

function damage(fs: MemFs, path: string, at: number): void {
  const file = fs.open(path, "write");
  file.writeAt(Uint8Array.of(0xff), at);
  file.sync();
}

/** Every byte that is in the log or was set aside: nothing may be lost from both. */
function markers(fs: MemFs): number {
  let count = 0;
  const walk = (dir: string) => {
    for (const name of fs.list(dir)) {
      const path = `${dir}/${name}`;
      if (fs.stat(path)?.isDirectory) walk(path);
      else count += fs.readFile(path).filter((byte) => byte === 0xff).length;
    }
  };
  walk("data");
  return count;
}

describe.each([
  ["the third segment", "data/wal/00000002", 50, 6],
  ["the checkpoint", "data/wal/checkpoint.00000001/00000000", 70, 8],
])("damage in %s", (_, path, at, kept) => {
  const damaged = undamaged();
  damage(damaged, path, at);
  const moments: [string, MemFs][] = [];
  const disk = damaged.clone();
  const first = open(traceFs(disk, "data", (line) => moments.push([line, disk.clone()])));

  test("a start that is not interrupted", () => {
    expect(first.replayed.sampleLines).toHaveLength(kept);
    expect(first.wal.replayed.setAside.length).toBeGreaterThan(0);
    expect(sampleLines([1], Float64Array.of(1), Float64Array.of(1), 1)[0]).toBe(all[0]);
  });

  test.each(["kept", "lost", "coin"] as const)("an interrupted one; not synced: %s", (unsynced) => {
    const coin = new SeededRandom(7);
    for (const [line, then] of moments) {
      const after = then.crash(unsynced === "coin" ? coin : unsynced);
      const { replayed } = open(after);
      expect(replayed.sampleLines, `before ${line}`).toEqual(first.replayed.sampleLines);
      expect(open(after).wal.replayed.setAside, `before ${line}`).toEqual([]);
      expect(markers(after), `before ${line}: the damaged byte`).toBeGreaterThan(0);
    }
  });
});
