import fc from "fast-check";
import { expect, test } from "vitest";
import { MemFs } from "../testkit/mem-fs.ts";
import { traceFs } from "../testkit/trace-fs.ts";
import { FileWriter } from "./file-writer.ts";

test("what is written, padded and patched is in the file, whatever the buffer's size", () => {
  const step = fc.oneof(
    fc.record({ write: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ pad: fc.constantFrom(4, 16) }),
    fc.record({ patch: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.array(step, { maxLength: 40 }), (buffer, steps) => {
      const fs = new MemFs();
      const writer = new FileWriter(fs.open("f", "create"), buffer);
      let want: number[] = [];
      for (const each of steps) {
        if ("write" in each) {
          writer.write(each.write);
          want.push(...each.write);
        } else if ("pad" in each) {
          writer.pad(each.pad);
          want = want.concat(Array(Math.ceil(want.length / each.pad) * each.pad - want.length).fill(0));
        } else if (want.length > 0) {
          const at = each.patch % want.length;
          writer.patch(at, Uint8Array.of(77));
          want[at] = 77;
        }
        expect(writer.position).toBe(want.length);
      }
      writer.finish();
      expect([...fs.readFile("f")]).toEqual(want);
    }),
  );
});

test("finishing makes the content durable; small writes are gathered", () => {
  const fs = traceFs(new MemFs());
  const writer = new FileWriter(fs.open("f", "create"), 10);
  for (let i = 0; i < 6; i++) writer.write(Uint8Array.of(1, 2, 3));
  writer.write(new Uint8Array(50));
  writer.finish();
  writer.abandon();
  expect(fs.trace).toEqual(["create f", "write f 0+9", "write f 9+9", "write f 18+50", "sync f"]);
});
