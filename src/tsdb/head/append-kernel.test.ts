/** The append kernel and its twin leave the same memory behind, word for word, whatever is appended. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { headKernel } from "../../kernels/head-kernel.ts";
import { Labels } from "../../model/labels.ts";
import { setStale } from "../../model/value.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { HeadAppender } from "./appender.ts";
import { Head } from "./head.ts";
import type { ChunkSink, HeadLog } from "./head-log.ts";
import { HeadMemory } from "./memory.ts";

const wasm = new Uint8Array(readFileSync(new URL("../../kernels/head.wasm", import.meta.url)));
const noLog: HeadLog = {
  logSeries() {},
  logSamples() {},
  logHistograms() {},
  logExemplars() {},
  logMetadata() {},
  flush() {},
};

function chunkRecorder(): ChunkSink & { chunks: string[] } {
  const chunks: string[] = [];
  return {
    chunks,
    append: (walRef, mint, maxt, encoding, bytes) =>
      chunks.push(`${walRef} ${mint} ${maxt} ${encoding} ${Buffer.from(bytes).toString("hex")}`),
    flush() {},
  };
}

test("random batches", () => {
  const random = new SeededRandom(20261122);
  const uniform = () => random.u32() / 2 ** 32;
  const sinks = [chunkRecorder(), chunkRecorder()];
  const memory = HeadMemory.create();
  const heads = [
    new Head(HeadMemory.create(), sinks[0]),
    new Head(memory, sinks[1], { kernel: headKernel(wasm, memory.memory) }),
  ];
  const appenders = heads.map((head) => new HeadAppender(head, noLog));
  const seriesCount = 40;
  const refs = new Uint32Array(4 * seriesCount);
  const t = new Float64Array(4 * seriesCount);
  const v = new Float64Array(4 * seriesCount);
  const outcomes = [new Uint8Array(4 * seriesCount), new Uint8Array(4 * seriesCount)];
  const last = new Float64Array(seriesCount);
  for (let batch = 0, now = -5_000_000; batch < 1500; batch++) {
    now += uniform() < 0.02 ? 3_000_000 : Math.floor(uniform() * 30_000);
    let n = 0;
    for (let i = 0; i < seriesCount; i++) {
      if (uniform() < 0.2) continue;
      for (let k = uniform() < 0.1 ? 3 : 1; k > 0; k--) {
        refs[n] = i + 1;
        t[n] = now + Math.floor((uniform() - 0.02) * (i % 2 === 0 ? 3 : 3000));
        const kind = uniform();
        if (kind < 0.3) v[n] = last[i];
        else if (kind < 0.6) v[n] = last[i] += Math.floor(uniform() * 100);
        else v[n] = kind < 0.65 ? Number.NaN : (uniform() - 0.5) * 10 ** Math.floor(uniform() * 40 - 20);
        if (kind > 0.97) setStale(v, n);
        n++;
      }
    }
    for (const [which, appender] of appenders.entries()) {
      if (batch === 0)
        for (let i = 0; i < seriesCount; i++) appender.series(Labels.of({ __name__: "m", i: `${i}` }));
      appender.append(refs, t, v, n, outcomes[which]);
      appender.commit();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  }
  expect(sinks[1].chunks).toEqual(sinks[0].chunks);
  expect(sinks[0].chunks.length).toBeGreaterThan(300);
  expect(heads[1].stats).toEqual(heads[0].stats);
  const used = (head: Head) => head.memory.words.subarray(0, head.arena.bytesTaken / 4 + 3 * 16384);
  expect(Buffer.compare(bytesFrom(used(heads[0])), bytesFrom(used(heads[1])))).toBe(0);
});

/** From the root on: what is before belongs to the kernel. */
function bytesFrom(words: Uint32Array): Buffer {
  const copy = words.slice(16384);
  return Buffer.from(copy.buffer);
}
