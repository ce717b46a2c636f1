import { describe, expect, test } from "vitest";
import type { File } from "../base/fs.ts";
import { failNth, faultFs } from "./fault-fs.ts";
import { MemFs } from "./mem-fs.ts";
import { SeededRandom } from "./seeded-random.ts";
import { traceFs } from "./trace-fs.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

function synced(file: File, content: string): void {
  file.writeAt(bytes(content), 0);
  file.sync();
}

/** All files with their content. */
function tree(fs: MemFs, dir = "", into: Record<string, string> = {}): Record<string, string> {
  for (const name of fs.list(dir)) {
    const path = dir === "" ? name : `${dir}/${name}`;
    if (fs.stat(path)?.isDirectory) tree(fs, path, into);
    else into[path] = Buffer.from(fs.readFile(path)).toString();
  }
  return into;
}

describe("power cut", () => {
  const steps: [string, (fs: MemFs, file: File) => void, Record<string, string>][] = [
    ["a file whose directory was not synced", (_, file) => synced(file, "x"), {}],
    [
      "synced in both",
      (fs, file) => {
        synced(file, "x");
        fs.syncDir("d");
      },
      { "d/f": "x" },
    ],
    [
      "only the name synced",
      (fs, file) => {
        file.writeAt(bytes("x"), 0);
        fs.syncDir("d");
      },
      { "d/f": "" },
    ],
    [
      "what was written after the sync",
      (fs, file) => {
        fs.syncDir("d");
        synced(file, "one");
        file.writeAt(bytes("two"), 3);
        file.truncate(1);
      },
      { "d/f": "one" },
    ],
    [
      "a rename that was not synced",
      (fs, file) => {
        synced(file, "x");
        fs.syncDir("d");
        fs.rename("d/f", "d/g");
      },
      { "d/f": "x" },
    ],
    [
      "a synced rename",
      (fs, file) => {
        synced(file, "x");
        fs.syncDir("d");
        fs.rename("d/f", "d/g");
        fs.syncDir("d");
      },
      { "d/g": "x" },
    ],
    [
      "a removal that was not synced",
      (fs, file) => {
        file.sync();
        fs.syncDir("d");
        fs.removeFile("d/f");
      },
      { "d/f": "" },
    ],
  ];
  test.each(steps)("%s", (_, act, want) => {
    const fs = new MemFs();
    fs.makeDir("d");
    act(fs, fs.open("d/f", "create"));
    expect(tree(fs.crash("lost"))).toEqual(want);
    expect(tree(fs.crash("kept"))).toEqual(tree(fs));
  });

  test("a coin: some beginning of the writes survives, the last of them perhaps in part", () => {
    const fs = new MemFs();
    const file = fs.open("f", "create");
    fs.syncDir("");
    for (let i = 0; i < 5; i++) file.writeAt(bytes("0123456789".slice(i * 2, i * 2 + 2)), i * 2);
    const random = new SeededRandom(3);
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) seen.add(tree(fs.crash(random)).f);
    expect([...seen].sort((a, b) => a.length - b.length)).toEqual(
      Array.from({ length: 11 }, (_, length) => "0123456789".slice(0, length)),
    );
  });

  test("a coin: names that were not synced survive or not, each by itself", () => {
    const fs = new MemFs();
    for (const name of ["a", "b"]) fs.open(name, "create");
    const random = new SeededRandom(4);
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) seen.add(fs.crash(random).list("").join());
    expect([...seen].sort()).toEqual(["", "a", "a,b", "b"]);
  });

  test("what a crash left is durable; clones are independent", () => {
    const fs = new MemFs();
    const file = fs.open("f", "create");
    file.writeAt(bytes("x"), 0);
    const crashed = fs.crash("kept");
    expect(tree(crashed.crash("lost"))).toEqual({ f: "x" });
    const clone = fs.clone();
    file.writeAt(bytes("y"), 0);
    clone.removeFile("f");
    expect(tree(fs)).toEqual({ f: "y" });
    expect(tree(fs.clone().crash("lost"))).toEqual({});
  });

  test("two names of one file stay one file in a clone", () => {
    const fs = new MemFs();
    fs.open("a", "create").writeAt(bytes("x"), 0);
    fs.link("a", "b");
    const clone = fs.clone();
    clone.open("a", "write").writeAt(bytes("z"), 0);
    expect(tree(clone)).toEqual({ a: "z", b: "z" });
  });
});

test("faults: the nth call fails, a write perhaps in part", () => {
  const disk = new MemFs();
  const fs = faultFs(
    disk,
    failNth(2, { code: "ENOSPC", writtenBytes: 2 }, ({ operation }) => operation === "write"),
  );
  const file = fs.open("f", "create");
  file.writeAt(bytes("abc"), 0);
  expect(() => file.writeAt(bytes("defg"), 3)).toThrow("ENOSPC: no space left on device, write 'f'");
  expect(tree(disk)).toEqual({ f: "abcde" });
  file.writeAt(bytes("!"), 5);
  expect(tree(disk)).toEqual({ f: "abcde!" });
});

test("a trace has what changes the disk, and is told before it does", () => {
  const disk = new MemFs();
  const before: string[] = [];
  const fs = traceFs(disk, "data", (line) => before.push(`${line} | ${Object.keys(tree(disk))}`));
  fs.makeDir("data");
  const file = fs.open("data/f", "create");
  file.writeAt(bytes("abc"), 7);
  file.readAt(new Uint8Array(1), 0);
  file.truncate(2);
  file.sync();
  file.close();
  fs.link("data/f", "data/g");
  fs.rename("data/f", "elsewhere");
  expect(fs.takeTrace()).toEqual([
    "makeDir data",
    "create f",
    "write f 7+3",
    "truncate f to 2",
    "sync f",
    "link f -> g",
    "rename f -> elsewhere",
  ]);
  expect(before[1]).toBe("create f | ");
  expect(before[6]).toBe("rename f -> elsewhere | data/f,data/g");
  fs.removeFile("data/g");
  fs.syncDir("data");
  fs.removeDir("data");
  expect(fs.takeTrace()).toEqual(["removeFile g", "syncDir data", "removeDir data"]);
  expect(fs.trace).toHaveLength(10);
});
