import { expect, test } from "vitest";
import { faultFs } from "../testkit/fault-fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { readWhole } from "./fs.ts";

test("short reads go on, nothing before the end is an error, the end is the end", () => {
  const disk = new MemFs();
  const file = disk.open("f", "create");
  file.writeAt(Uint8Array.of(1, 2, 3, 4, 5), 0);
  let atMost = 2;
  const fs = faultFs(disk, ({ operation }) =>
    operation === "read" ? { code: "", readBytes: atMost } : undefined,
  );
  const short = fs.open("f", "read");
  const into = new Uint8Array(4);
  expect(readWhole(short, into, 0)).toBe(4);
  expect([...into]).toEqual([1, 2, 3, 4]);
  expect(readWhole(short, into, 3)).toBe(2);
  expect(readWhole(short, into, 5)).toBe(0);
  expect(readWhole(short, into, 9)).toBe(0);
  atMost = 0;
  expect(() => readWhole(short, into, 1)).toThrow(
    "f: a read at byte 1 brought nothing, 4 bytes before the end",
  );
});
