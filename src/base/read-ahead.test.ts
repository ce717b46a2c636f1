import fc from "fast-check";
import { expect, test } from "vitest";
import { MemFs } from "../testkit/mem-fs.ts";
import { CorruptionError } from "./errors.ts";
import { ReadAhead } from "./read-ahead.ts";

function files(sizes: readonly number[]): MemFs {
  const fs = new MemFs();
  fs.makeDir("d");
  for (const [i, size] of sizes.entries()) {
    const file = fs.open(`d/${i}`, "create");
    file.writeAt(
      Uint8Array.from({ length: size }, (_, at) => (at * 31 + i) & 0xff),
      0,
    );
    file.close();
  }
  return fs;
}

test("any views of any files of one buffer are right", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1), fc.nat(100), fc.nat(60)), { maxLength: 40 }),
      fc.integer({ min: 1, max: 40 }),
      (views, bufferBytes) => {
        const fs = files([80, 100]);
        const ahead = new ReadAhead(bufferBytes);
        const opened = [0, 1].map((i) => ahead.open(fs, `d/${i}`));
        for (const [i, offset, length] of views) {
          if (offset + length > opened[i].sizeBytes) {
            expect(() => opened[i].view(offset, length)).toThrow(CorruptionError);
            continue;
          }
          const want = fs.readFile(`d/${i}`).subarray(offset, offset + length);
          expect([...opened[i].view(offset, length)]).toEqual([...want]);
        }
        for (const file of opened) file.close();
      },
    ),
  );
});

test("a file is read in pieces of the buffer's size", () => {
  const fs = files([100]);
  let reads = 0;
  const counting = {
    ...fs,
    open: () => {
      const file = fs.open("d/0", "read");
      return {
        path: file.path,
        size: () => file.size(),
        readAt(into: Uint8Array, position: number) {
          reads++;
          return file.readAt(into, position);
        },
        close: () => file.close(),
      };
    },
  } as unknown as MemFs;
  const file = new ReadAhead(25).open(counting, "d/0");
  for (let at = 0; at < 100; at += 5) file.view(at, 5);
  expect(reads).toBe(4);
});
