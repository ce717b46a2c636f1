// What a storage holds after the same remote-write requests: memory, WAL and block bytes, and answers from the index.
import { join } from "node:path";
import { replay, replayDefaults } from "../replay.mjs";
import { startServer } from "../servers.mjs";
import { metricSum } from "./metrics.mjs";
import { bytesBelow, walBytes } from "./sizes.mjs";

/**
 * Ingests `workload` into a new server in `dir`, takes a snapshot with the head, and stops it.
 * `ask`: named functions of (url, index) that are timed, in the order given, `runs` times each.
 */
export async function ingested(kind, dir, workload, index, { ask = {}, runs = 15, snapshot = true } = {}) {
  const server = await startServer(kind, dir);
  const data = join(dir, "data");
  try {
    const sent = await replay(workload, `${server.url}/api/v1/write`, { ...replayDefaults, pid: server.pid });
    const wal = walBytes(data) / sent.samples;
    const headBytes = await metricSum(server.url, "narthex_head_memory_bytes");
    const series = await metricSum(server.url, "prometheus_tsdb_head_series");
    const ms = {};
    for (const [name, question] of Object.entries(ask))
      ms[name] = await median(question, server.url, index, runs);
    const block = snapshot ? (await snapshotBytes(server.url, data)) / sent.samples : Number.NaN;
    return { kind, ...sent, wal, block, headBytesPerSeries: headBytes / series, ms };
  } finally {
    await server.stop();
  }
}

async function median(question, url, index, runs) {
  const times = [];
  for (let run = -2; run < runs; run++) {
    const begun = performance.now();
    await question(url, index);
    if (run >= 0) times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

/** Of a block with all that the head holds. */
async function snapshotBytes(url, data) {
  const answer = await fetch(`${url}/api/v1/admin/tsdb/snapshot?skip_head=false`, { method: "POST" });
  const { data: snapshot, error } = await answer.json();
  if (answer.status !== 200) throw new Error(`snapshot: ${error}`);
  return bytesBelow(join(data, "snapshots", snapshot.name));
}

async function get(url, path) {
  const answer = await fetch(`${url}/api/v1/${path}`);
  const { status, data, error } = await answer.json();
  if (status !== "success") throw new Error(`${path}: ${error}`);
  return data;
}

/** A selection by an equal and a regular-expression matcher, and the values of a label under a matcher. */
export const indexQuestions = {
  async selection(url, index) {
    const query = encodeURIComponent('count({job="svc-5",pod=~"svc-5-[a-f].*"})');
    const { result } = await get(url, `query?query=${query}&time=${(index.end - index.interval) / 1000}`);
    if (!(Number(result[0]?.value[1]) > 0)) throw new Error("the selection found nothing");
  },
  async labelValues(url, index) {
    const match = encodeURIComponent('{job="svc-5"}');
    const range = `start=${index.start / 1000}&end=${index.end / 1000}`;
    const values = await get(url, `label/pod/values?match[]=${match}&${range}`);
    if (values.length === 0) throw new Error("no label values");
  },
};
