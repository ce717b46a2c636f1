// Compaction of blocks whose series hold floats and native histograms, overlapping and partly deleted.
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockDir } from "../../../test/tsdb/block-dir.ts";
import { decodeChunk } from "../../chunkenc/decode-chunk.ts";
import { plainEncodings, SampleEncoder } from "../../chunkenc/encode-samples.ts";
import { Histogram, staleHistogram } from "../../model/histogram.ts";
import { Labels } from "../../model/labels.ts";
import { Matcher } from "../../model/matcher.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { BlockSet } from "../block/block-set.ts";
import { verifyBlock } from "../block/verify.ts";
import type { Chunk, ChunkSource } from "../chunks/chunk.ts";
import { compactBlocks } from "./compact-blocks.ts";
import { deleteSamples } from "./delete-samples.ts";

const labels = Labels.of({ __name__: "m" });

/** A float, or a histogram by its kind and the counts of three buckets. */
type Value = number | readonly ["integer" | "float" | "stale", number, number, number];

function append(columns: SampleColumns, t: number, value: Value): void {
  if (typeof value === "number") {
    columns.reserve(1);
    columns.t[columns.n] = t;
    columns.v[columns.n++] = value;
    return;
  }
  const [kind, ...counts] = value;
  if (kind === "stale") return columns.pushHistogram(t, staleHistogram(false));
  const used = counts.map((count, i) => [i, count]).filter(([, count]) => count > 0);
  columns.pushHistogram(
    t,
    new Histogram({
      isFloat: kind === "float",
      count: counts.reduce((sum, count) => sum + count),
      sum: t,
      positiveSpans: used.map(([i], k) => ({ offset: k === 0 ? i : i - used[k - 1][0] - 1, length: 1 })),
      positiveBuckets: Float64Array.from(used, ([, count]) => count),
    }),
  );
}

function sourceOf(samples: readonly (readonly [number, Value])[], perChunk: number): ChunkSource {
  const columns = new SampleColumns();
  for (const [t, value] of samples) append(columns, t, value);
  const chunks: Chunk[] = [];
  for (const chunk of new SampleEncoder().encode(columns, 0, columns.n, plainEncodings, perChunk))
    chunks.push({ ...chunk, bytes: chunk.bytes.slice() });
  return { series: () => (chunks.length === 0 ? [] : [{ labels, chunks: () => chunks }]) };
}

/** What the only series of the only visible block holds, as text. */
function contentOf(env: ReturnType<typeof blockDir>): string[] {
  const { blocks } = BlockSet.open(env, "data");
  if (blocks.length === 0) return [];
  expect(blocks).toHaveLength(1);
  verifyBlock(blocks[0]);
  const columns = new SampleColumns();
  const source = blocks[0].chunkSource();
  for (const series of source.series()) {
    for (const { encoding, mint, maxt, bytes } of series.chunks()) {
      decodeChunk(encoding, bytes, 0, bytes.length, columns, mint, maxt);
    }
  }
  source.close();
  return Array.from({ length: columns.n }, (_, i) => textOf(columns, i));
}

function textOf({ t, v, histograms }: SampleColumns, i: number): string {
  const histogram = histograms?.[i];
  if (histogram === undefined) return `${t[i]} ${v[i]}`;
  const counts = [...histogram.positiveBuckets].filter((count) => count > 0);
  return `${t[i]} ${histogram.isStale ? "stale" : histogram.isFloat ? "float" : "integer"} ${histogram.count} ${counts}`;
}

const value = fc.oneof(
  fc.nat(9),
  fc.tuple(
    fc.constantFrom("integer" as const, "float" as const, "stale" as const),
    fc.nat(3),
    fc.nat(3),
    fc.nat(3),
  ),
);
const samples = fc
  .uniqueArray(fc.nat(120), { minLength: 1, maxLength: 60 })
  .chain((times) => fc.tuple(...times.sort((a, b) => a - b).map((t) => fc.tuple(fc.constant(t), value))));

test("every sample that is not deleted is there, the first block's where there are two", () => {
  fc.assert(
    fc.property(
      fc.array(samples, { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 2, max: 30 }),
      fc.tuple(fc.nat(120), fc.nat(60)),
      (blocks, perChunk, [mint, length]) => {
        const env = blockDir(new MemFs());
        for (const one of blocks) env.write(sourceOf(one, perChunk), 0, 200);
        const set = BlockSet.open(env, "data");
        deleteSamples(env.fs, set.blocks[0], mint, mint + length, [new Matcher("=", "__name__", "m")]);
        set.reload();
        const all = new SampleColumns();
        const kept = new Map<number, Value>();
        for (const [i, one] of blocks.entries()) {
          for (const [t, v] of one) {
            const isDeleted = i === 0 && t >= mint && t <= mint + length;
            if (!isDeleted && !kept.has(t)) kept.set(t, v);
          }
        }
        for (const [t, v] of [...kept].sort(([a], [b]) => a - b)) append(all, t, v);
        compactBlocks(env, "data", set.blocks, {});
        expect(contentOf(env)).toEqual(Array.from({ length: all.n }, (_, i) => textOf(all, i)));
      },
    ),
    { numRuns: 200 },
  );
});

test("a block's range cuts histogram chunks that reach over it", () => {
  const env = blockDir(new MemFs());
  const counter = Array.from({ length: 100 }, (_, i): [number, Value] => [
    i,
    ["integer", i, i > 40 ? 1 : 0, 0],
  ]);
  const meta = env.write(sourceOf(counter, 120), 30, 60);
  expect(meta.stats).toMatchObject({ numSamples: 30, numHistogramSamples: 30, numFloatSamples: 0 });
  expect(contentOf(env)).toHaveLength(30);
});
