// A reading thread of proof 7: opens queriers, reads groups, and checks that what it sees is a state that was once
// committed: whole batches, one prefix of them for all groups, right values, nothing twice.
import { parentPort, workerData } from "node:worker_threads";
import {
  batchesPerGeneration,
  generationOf,
  groups,
  sampleOf,
  seriesPerGroup,
  startMs,
  stepMs,
  timeOf,
} from "./plan.mjs";

const { dist, dir, handle, owner, seed, control: buffer } = workerData;
const module = (path) => import(`${dist}/${path}`);
const [
  { HeadReader },
  { HeadMemory },
  { HeadChunkReader },
  { Matcher },
  { SampleColumns },
  { nodeFs },
  { PageCache },
] = await Promise.all(
  [
    "tsdb/head/head-reader.js",
    "tsdb/head/memory.js",
    "tsdb/chunks/head-chunk-reader.js",
    "model/matcher.js",
    "storage/sample-columns.js",
    "node/fs.js",
    "base/page-cache.js",
  ].map(module),
);

const control = new Int32Array(buffer);
const memory = HeadMemory.attach(handle);
const store = new HeadChunkReader({ fs: nodeFs, cache: new PageCache(1024 * 1024) }, dir);
const reader = new HeadReader(memory, store, owner);
const context = { check() {}, chargeBytes() {}, releaseBytes() {} };
const hints = { startMs: 0, endMs: 0, stepMs: 0, func: "" };
const columns = new SampleColumns(1024);
let random = seed;
const uniform = () => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0) / 2 ** 32;

let answers = 0;
let newest = -1;

function fail(problem) {
  throw new Error(`owner ${owner}: ${problem}`);
}

/** Checks the series of one group; returns the last batch that is visible, -1 for none. */
function checkGroup(group, series, from) {
  const firstBatch = Math.max(0, Math.ceil((from - startMs) / stepMs));
  const first = firstBatch + ((((group - firstBatch) % groups) + groups) % groups);
  /** By generation: the batches that its series have. */
  const seen = new Map();
  for (const one of series) {
    const generation = Number(one.labels.get("generation"));
    const i = Number(one.labels.get("i"));
    columns.clear();
    one.read(columns, from, Number.MAX_SAFE_INTEGER);
    if (columns.n === 0) continue;
    const begin = (columns.t[0] - startMs) / stepMs;
    for (let k = 0; k < columns.n; k++) {
      const batch = begin + k * groups;
      if (columns.t[k] !== timeOf(batch))
        fail(
          `group ${group} generation ${generation} series ${i}: sample ${k} at ${columns.t[k]}, not ${timeOf(batch)}`,
        );
      if (generationOf(batch) !== generation)
        fail(`group ${group}: batch ${batch} in generation ${generation}`);
      if (!Object.is(columns.v[k], sampleOf(batch, i)))
        fail(`group ${group} batch ${batch} series ${i}: ${columns.v[k]}, not ${sampleOf(batch, i)}`);
    }
    const known = seen.get(generation);
    const range = { begin, end: begin + (columns.n - 1) * groups, count: 1 };
    if (known === undefined) seen.set(generation, range);
    else if (known.begin !== range.begin || known.end !== range.end) {
      fail(
        `group ${group} generation ${generation}: half a batch: series ${i} has ${range.begin} to ${range.end}, others ${known.begin} to ${known.end}`,
      );
    } else known.count++;
  }
  let expected = first;
  for (const [generation, { begin, end, count }] of [...seen].sort(([a], [b]) => a - b)) {
    if (count !== seriesPerGroup)
      fail(`group ${group} generation ${generation}: ${count} of ${seriesPerGroup} series`);
    if (begin !== expected) fail(`group ${group}: batches ${expected} to ${begin - groups} are missing`);
    expected = end + groups;
  }
  answers++;
  return expected === first ? -1 : expected - groups;
}

function checkOnce() {
  const querier = reader.querier(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  try {
    const { minTime } = querier.state;
    const from = Math.max(minTime, timeOf(0));
    const wanted = Array.from({ length: groups }, (_, group) => group).filter(() => uniform() < 0.5);
    const selected = wanted.map((group) => {
      const matchers = [new Matcher("=", "group", `${group}`), new Matcher("=~", "generation", ".+")];
      if (uniform() < 0.3) matchers.push(new Matcher("=", "__name__", "proof"));
      return querier.select(
        context,
        matchers,
        Number.MIN_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER,
        hints,
        uniform() < 0.2,
      );
    });
    querier.doneSelecting();
    // Sometimes a query takes its time while the writer goes on.
    if (uniform() < 0.05) Atomics.wait(control, 1, 0, 5 * uniform());
    const lasts = wanted.map((group, i) => checkGroup(group, selected[i], from)).filter((last) => last >= 0);
    if (lasts.length === 0) return;
    const newestSeen = Math.max(...lasts);
    for (const last of lasts) {
      if (last <= newestSeen - groups)
        fail(`one querier sees batch ${newestSeen} of one group, but only up to ${last} of another`);
    }
    if (newestSeen + groups <= newest) fail(`went back in time: batch ${newestSeen} after ${newest}`);
    newest = Math.max(newest, newestSeen);
  } finally {
    querier.close();
  }
}

let problem = "";
try {
  while (Atomics.load(control, 0) === 0) checkOnce();
} catch (error) {
  problem = String(error?.stack ?? error);
  Atomics.store(control, 0, 1);
}
parentPort.postMessage({
  answers,
  newest,
  problem,
  generations: Math.floor(newest / groups / batchesPerGeneration),
});
