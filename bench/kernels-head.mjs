#!/usr/bin/env node
// The hot loops of the head alone, each WebAssembly kernel beside its TypeScript twin: appending a batch to the open
// chunks, and decoding chunks into columns. Run on the build (dist/).
//
//   node bench/kernels-head.mjs [--series 20000] [--rounds 120] [--seed 1]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../scripts/build.mjs";
import { numberOptions } from "./options.mjs";
import { seededRandom } from "./random.mjs";

const dist = join(import.meta.dirname, "../dist");

/** Columns of one scrape after another: 60 % constants, 30 % counters, 10 % gauges with two decimals. */
function makeBatches(series, rounds, random) {
  const values = new Float64Array(series);
  return Array.from({ length: rounds }, (_, round) => {
    const t = new Float64Array(series);
    const v = new Float64Array(series);
    for (let i = 0; i < series; i++) {
      t[i] =
        1.7e12 + round * 15_000 + (i % 100) + (random.uniform() < 0.3 ? Math.round(3 * random.gauss()) : 0);
      if (i % 10 < 6) v[i] = i;
      else if (i % 10 < 9) v[i] = values[i] += random.count(40);
      else v[i] = Math.round((values[i] += random.gauss()) * 100) / 100;
    }
    return { t, v };
  });
}

/** Samples per second of whole commits without a log, and of the decoding of what was written. */
async function measure(kernel, series, rounds, seed) {
  const { Head } = await import(`${dist}/tsdb/head/head.js`);
  const { HeadMemory } = await import(`${dist}/tsdb/head/memory.js`);
  const { HeadAppender } = await import(`${dist}/tsdb/head/appender.js`);
  const { headKernel } = await import(`${dist}/kernels/head-kernel.js`);
  const { Labels } = await import(`${dist}/model/labels.js`);
  const chunks = [];
  const sink = { append: (_ref, _mint, _maxt, _encoding, bytes) => chunks.push(bytes.slice()), flush() {} };
  const log = { logSeries() {}, logSamples() {}, logExemplars() {}, logMetadata() {}, flush() {} };
  const memory = HeadMemory.create();
  const wasm = new Uint8Array(readFileSync(`${dist}/kernels/head.wasm`));
  const head = new Head(memory, sink, kernel ? { kernel: headKernel(wasm, memory.memory) } : {});
  const appender = new HeadAppender(head, log);
  const refs = Uint32Array.from({ length: series }, (_, i) =>
    appender.series(Labels.of({ __name__: "m", i: `${i}` })),
  );
  const outcomes = new Uint8Array(series);
  const batches = makeBatches(series, rounds, seededRandom(seed));
  const begun = process.cpuUsage();
  for (const { t, v } of batches) {
    appender.append(refs, t, v, series, outcomes);
    appender.commit();
  }
  const cpu = process.cpuUsage(begun);
  return { rate: (series * rounds) / ((cpu.user + cpu.system) / 1e6), chunks };
}

async function decodeRate(chunks) {
  const { decodeXor } = await import(`${dist}/chunkenc/xor.js`);
  const { SampleColumns } = await import(`${dist}/storage/sample-columns.js`);
  const out = new SampleColumns(256);
  let samples = 0;
  const begun = process.cpuUsage();
  for (let pass = 0; pass < 5; pass++) {
    for (const bytes of chunks) {
      out.clear();
      decodeXor(bytes, 0, bytes.length, out, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      samples += out.n;
    }
  }
  const cpu = process.cpuUsage(begun);
  return samples / ((cpu.user + cpu.system) / 1e6);
}

export async function headKernels(options) {
  const { series, rounds, seed } = options;
  const millions = (rate) => `${(rate / 1e6).toFixed(1)} M samples/s`;
  await measure(false, series, Math.ceil(rounds / 4), seed); // warm up
  const twin = await measure(false, series, rounds, seed);
  const kernel = await measure(true, series, rounds, seed);
  console.log(
    `append and commit   TypeScript ${millions(twin.rate)}   WebAssembly ${millions(kernel.rate)}   ${(kernel.rate / twin.rate).toFixed(2)} x`,
  );
  console.log(
    `decode              TypeScript ${millions(await decodeRate(kernel.chunks))}   (${kernel.chunks.length} chunks)`,
  );
}

export const headKernelDefaults = { series: 20_000, rounds: 260, seed: 1 };

if (import.meta.filename === process.argv[1]) {
  build();
  const { options } = numberOptions(process.argv.slice(2), headKernelDefaults);
  await headKernels(options);
}
