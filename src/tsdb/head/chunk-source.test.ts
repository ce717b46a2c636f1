// The head as the source of a block: which chunks come as they are, which are encoded anew, and that nothing is lost.
import fc from "fast-check";
import { expect, test } from "vitest";
import { append, bitsOf, type Row, testHead } from "../../../test/head/fixture.ts";
import { decodeXor, XorAppender } from "../../chunkenc/xor.ts";
import { compareLabels, type Labels } from "../../model/labels.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { Collection } from "./collection.ts";

const t0 = 1_700_000_000_000;

test("every sample of the range, once, in chunks that decode; whole chunks as they are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 3000 }), fc.nat(20)), {
        minLength: 1,
        maxLength: 250,
      }),
      fc.integer({ min: -1000, max: 80_000 }),
      fc.integer({ min: 0, max: 80_000 }),
      (drawn, offset, length) => {
        const { appender, reader, head } = testHead({ samplesPerChunk: 12 }, { pages: 256 });
        const model = new Map<string, { t: number; bits: bigint }[]>();
        let t = t0;
        for (const [series, step, value] of drawn) {
          t += step;
          const labels = { name: `s${series}`, z: `${series % 2}` };
          append(appender, [[labels, t, value]]);
          const key = `{name="s${series}", z="${series % 2}"}`;
          model.set(key, [...(model.get(key) ?? []), { t, bits: bitsOf(Float64Array.of(value))[0] }]);
        }
        const mint = t0 + offset;
        const maxt = mint + length;
        const got = new Map<string, { t: number; bits: bigint }[]>();
        let last: Labels | undefined;
        for (const { labels, chunks: chunksOf } of reader.chunkSource(mint, maxt).series()) {
          if (last !== undefined) expect(compareLabels(last, labels)).toBeLessThan(0);
          last = labels;
          const samples: { t: number; bits: bigint }[] = [];
          for (const chunk of chunksOf()) {
            const out = new SampleColumns();
            decodeXor(chunk.bytes, 0, chunk.bytes.length, out, -Infinity, Infinity);
            expect([chunk.encoding, chunk.mint, chunk.maxt]).toEqual([1, out.t[0], out.t[out.n - 1]]);
            const anew = new XorAppender();
            for (let i = 0; i < out.n; i++) anew.append(out.t[i], out.v, i);
            expect(chunk.bytes).toEqual(anew.bytes());
            bitsOf(out.v, out.n).forEach((bits, i) => {
              samples.push({ t: out.t[i], bits });
            });
          }
          got.set(labels.toString(), samples);
        }
        const want = [...model]
          .map(
            ([key, samples]) =>
              [key, samples.filter((sample) => sample.t >= mint && sample.t <= maxt)] as const,
          )
          .filter(([, samples]) => samples.length > 0)
          .sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...got]).toEqual(want);
        head.publish();
        expect(head.retired.waiting).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

test("a whole chunk is the chunk of the file, not a new one", () => {
  const { appender, chunks, reader } = testHead(
    { samplesPerChunk: 10, chunkRangeMs: 100_000 },
    { pages: 256 },
  );
  for (let i = 0; i < 100; i++) append(appender, [[{ a: "1" }, t0 + i * 1000, i]]);
  const stored = [...chunks.chunks.values()];
  const [series] = reader.chunkSource(t0, t0 + 99_000).series();
  const got = [...series.chunks()];
  expect(got.slice(0, stored.length).every((chunk, i) => chunk === stored[i])).toBe(true);
  expect(got).toHaveLength(stored.length + 1);
});

test("a source that is given up in the middle lets go of the head", () => {
  const { appender, head, reader } = testHead({ chunkRangeMs: 100_000 }, { pages: 256 });
  const rows = (t: number) => Array.from({ length: 600 }, (_, i): Row => [{ a: `${i}` }, t, i]);
  append(appender, rows(t0));
  const source = reader.chunkSource(t0, t0).series()[Symbol.iterator]();
  expect(source.next().done).toBe(false);
  append(appender, rows(t0 + 200_000));
  const collection = Collection.truncation(head, t0 + 100_000);
  expect(collection.step(() => false)).toBe("waiting");
  source.return?.();
  expect(collection.step(() => false)).toBe("done");
});

test("deleted intervals do not reach a block", () => {
  const { appender, head, reader } = testHead({ samplesPerChunk: 10 }, { pages: 256 });
  for (let i = 0; i < 60; i++)
    append(appender, [
      [{ a: "1" }, t0 + i * 1000, i],
      [{ a: "2" }, t0 + i * 1000, i],
    ]);
  head.deleted.add(1, { mint: t0 + 15_000, maxt: t0 + 44_000 });
  head.deleted.add(2, { mint: t0, maxt: t0 + 100_000 });
  head.deleted.publish();
  append(appender, []);
  const all = [...reader.chunkSource(t0, t0 + 59_000).series()];
  expect(all.map(({ labels }) => labels.get("a"))).toEqual(["1"]);
  const out = new SampleColumns();
  for (const chunk of all[0].chunks()) decodeXor(chunk.bytes, 0, chunk.bytes.length, out, 0, Infinity);
  expect([...out.v.subarray(0, out.n)]).toEqual([
    ...Array(15).keys(),
    ...Array.from({ length: 15 }, (_, i) => 45 + i),
  ]);
});
