import { expect, test } from "vitest";
import { hexExample } from "../../../test/formats/hex-example.ts";
import { dataDir, SnapshotWorld, startTime } from "../../../test/tsdb/snapshot-world.ts";
import { CorruptionError } from "../../base/errors.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { snapshotPath } from "./files.ts";
import { readSections, SectionKind, SectionWriter } from "./sections.ts";

/** The kinds of the sections of a file with this content. */
function kindsOf(content: Uint8Array): number[] {
  const fs = new MemFs();
  fs.open("file", "replace").writeAt(content, 0);
  return [...readSections(fs.open("file", "read"))].map(({ kind }) => kind);
}

test("the example of the page", () => {
  const fs = new MemFs();
  new SectionWriter(fs.open("file", "replace")).write(SectionKind.end, Uint32Array.of(0));
  expect(Buffer.from(fs.readFile("file")).toString("hex")).toBe(
    Buffer.from(hexExample("head-snapshot.md", "head-snapshot")).toString("hex"),
  );
  expect(kindsOf(hexExample("head-snapshot.md", "head-snapshot"))).toEqual([SectionKind.end]);
});

test("every byte that is another, and every end that comes too early, is noticed", () => {
  const disk = new MemFs();
  const world = new SnapshotWorld(disk);
  for (let k = 0; k < 20; k++) {
    world.append(["a", "b", "c"].map((i, n) => ({ i, t: startTime + 42 * k + n, v: k / 3 })));
  }
  expect(world.snapshot()).toBe(true);
  const content = disk.readFile(snapshotPath(dataDir));
  expect(kindsOf(content)[0]).toBe(SectionKind.position);
  for (let i = 0; i < content.length; i++) {
    for (const other of [content[i] ^ (1 << (i % 8)), content[i] ^ 0xff]) {
      const damaged = content.slice();
      damaged[i] = other;
      expect(() => kindsOf(damaged), `byte ${i}`).toThrow(CorruptionError);
    }
    expect(() => kindsOf(content.subarray(0, i)), `${i} bytes`).toThrow(CorruptionError);
  }
  expect(() => kindsOf(Buffer.concat([content, Buffer.from([0])]))).toThrow(/follow the end/);
});
