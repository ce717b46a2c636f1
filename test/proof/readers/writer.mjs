// The writing thread of proof 7: appends batches, cuts chunks, truncates, as fast as it can.
import { mkdirSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { generationOf, groups, keptBatches, sampleOf, seriesPerGroup, timeOf } from "./plan.mjs";

const { dist, dir, unguarded, control: buffer } = workerData;
const module = (path) => import(`${dist}/${path}`);
const [
  { Head },
  { HeadMemory },
  { HeadAppender },
  { Collection },
  { HeadChunkWriter },
  { Labels },
  { nodeFs },
  { headKernel },
  { readKernel },
] = await Promise.all(
  [
    "tsdb/head/head.js",
    "tsdb/head/memory.js",
    "tsdb/head/appender.js",
    "tsdb/head/collection.js",
    "tsdb/chunks/head-chunk-writer.js",
    "model/labels.js",
    "node/fs.js",
    "kernels/head-kernel.js",
    "node/kernel-files.js",
  ].map(module),
);

const control = new Int32Array(buffer); // 0: stop, 2: truncations so far
mkdirSync(dir, { recursive: true });
const memory = HeadMemory.create({ poison: true, unguarded });
const chunks = HeadChunkWriter.open({ fs: nodeFs }, dir, undefined, { fileBytesMax: 256 * 1024 });
const head = new Head(memory, chunks, {
  chunkRangeMs: 300_000,
  samplesPerChunk: 16,
  kernel: headKernel(readKernel("head"), memory.memory),
});
const log = { logSeries() {}, logSamples() {}, logExemplars() {}, logMetadata() {}, flush() {} };
const appender = new HeadAppender(head, log);

const refs = new Uint32Array(seriesPerGroup);
const times = new Float64Array(seriesPerGroup);
const values = new Float64Array(seriesPerGroup);
const outcomes = new Uint8Array(seriesPerGroup);

function appendBatch(batch) {
  const group = batch % groups;
  const generation = generationOf(batch);
  for (let i = 0; i < seriesPerGroup; i++) {
    refs[i] = appender.series(
      Labels.of({
        __name__: "proof",
        group: `${group}`,
        generation: `${generation}`,
        i: `${i}`,
        parity: `${i % 2}`,
      }),
    );
    times[i] = timeOf(batch);
    values[i] = sampleOf(batch, i);
  }
  if (appender.append(refs, times, values, seriesPerGroup, outcomes) > 0)
    throw new Error(`batch ${batch} was refused`);
  appender.commit();
}

let collection;
let truncations = 0;

/** Begins a truncation now and then, and works a little on the one that runs. */
function truncate(batch) {
  if (collection === undefined && batch > keptBatches && batch % 300 === 0) {
    collection = Collection.truncation(head, timeOf(batch - keptBatches));
  }
  if (collection === undefined) return;
  const endMs = performance.now() + 0.5;
  if (collection.step(() => performance.now() > endMs) !== "done") return;
  collection = undefined;
  truncations++;
  Atomics.store(control, 2, truncations);
  chunks.truncate(head.minTime);
}

parentPort.postMessage({ handle: head.handle });
let batch = 0;
for (; Atomics.load(control, 0) === 0; batch++) {
  appendBatch(batch);
  truncate(batch);
  // Let messages and the event loop through now and then.
  if (batch % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
parentPort.postMessage({ done: { batches: batch, truncations, ...head.stats } });
