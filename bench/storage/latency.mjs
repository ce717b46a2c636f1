// How long remote-write requests and queries take with and without a running compaction, while ingest goes on at half the
// speed that it can reach.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { replay, replayDefaults } from "../replay.mjs";
import { startServer } from "../servers.mjs";
import { apart } from "./compaction.mjs";
import { metricSum } from "./metrics.mjs";

const pollMs = 100;
const queryEveryMs = 500;
const query = "sum by (job) (rate(http_requests_total[5m]))";
/** A round of a compaction that is over too soon is followed by another. */
const roundsMax = 50;

/**
 * {pace, idle, busy}: of each side the milliseconds of every request, `ingest` and `queries`, at least `requests` together
 * where `roundsMax` rounds suffice. `blocks` is a directory with blocks to be compacted; `workload` is newer than they are.
 */
export async function latencies(dir, blocks, workload, index, requests) {
  const most = await round(dir, blocks, workload, index, { compacts: false, pace: 0, enough: Infinity });
  const pace = most.samplesPerSecond / 2;
  const sides = {
    idle: { compacts: false, ingest: [], queries: [] },
    busy: { compacts: true, ingest: [], queries: [] },
  };
  for (const side of Object.values(sides)) {
    for (let i = 0; i < roundsMax; i++) {
      const enough = requests - side.ingest.length - side.queries.length;
      if (enough <= 0) break;
      const taken = await round(dir, blocks, workload, index, { compacts: side.compacts, pace, enough });
      side.ingest.push(...taken.ingest);
      side.queries.push(...taken.queries);
    }
  }
  return { pace, ...sides };
}

/** The value that 99 of 100 do not exceed. */
export function p99(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

/** On a new server: until `enough` requests are timed, the workload is sent, or there is nothing more to compact. */
async function round(dir, blocks, workload, index, { compacts, pace, enough }) {
  const own = join(dir, "latency-server");
  cpSync(join(blocks, "data"), join(own, "data"), { recursive: true });
  const server = await startServer("narthex", own, { flags: compacts ? [] : apart });
  const write = `${server.url}/api/v1/write`;
  const taken = { ingest: [], queries: [] };
  let running = !compacts;
  let over = false;
  const isOver = () => over || taken.ingest.length + taken.queries.length >= enough;
  /** Both sides are asked alike. */
  const watching = async () => {
    for (let seen = false; !over; await sleep(pollMs)) {
      const blocksInWork = await metricSum(server.url, "prometheus_tsdb_compaction_populating_block");
      if (!compacts) continue;
      running = blocksInWork > 0;
      over ||= seen && !running;
      seen ||= running;
    }
  };
  const asking = async () => {
    const time = (index.start + index.interval) / 1000;
    for (; !isOver(); await sleep(queryEveryMs)) {
      const begun = performance.now();
      const answer = await fetch(
        `${server.url}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}`,
      );
      await answer.text();
      if (answer.status !== 200) throw new Error(`a query got ${answer.status}`);
      if (running) taken.queries.push(performance.now() - begun);
    }
  };
  try {
    // New series cost more: the first scrape does not count.
    const first = index.requests.findIndex(({ scrape }) => scrape > 0);
    await replay(workload, write, { ...replayDefaults, to: first });
    const others = Promise.all([watching(), asking()]);
    const onAcknowledged = (_, ms) => {
      if (running) taken.ingest.push(ms);
    };
    const sent = await replay(workload, write, {
      ...{ ...replayDefaults, from: first, pace, onAcknowledged, isOver },
    });
    over = true;
    await others;
    return { ...taken, samplesPerSecond: sent.samplesPerSecond };
  } finally {
    over = true;
    await server.kill();
    rmSync(own, { recursive: true, force: true });
  }
}
