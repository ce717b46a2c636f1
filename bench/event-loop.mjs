// Measures the main thread's event-loop delay of a running Narthex. The measuring module is loaded into the server by
// `node --import`, so that the server itself carries no benchmark code.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { replay, replayDefaults } from "./replay.mjs";
import { startServer } from "./servers.mjs";
import { workloadDefaults, writeWorkload } from "./workload.mjs";

const heaviest = "sum by (event) (rate(app_events_total[2m]))";

/** Milliseconds: {idleP99, busyP99, p99 (the difference), queries, samples}. */
export async function eventLoopDelays(dir, { seconds, pace, series }) {
  const workload = join(dir, "event-loop-workload");
  const history = 10;
  const minutes = history + Math.ceil((pace * seconds) / series / 4);
  const index = writeWorkload(workload, { ...workloadDefaults, series, minutes, seed: 7 });
  const report = join(dir, "event-loop.json");
  rmSync(report, { force: true });
  const server = await startServer("narthex", join(dir, "event-loop"), {
    nodeFlags: ["--import", join(import.meta.dirname, "event-loop-probe.mjs")],
    flags: [],
    env: { EVENT_LOOP_REPORT: report },
  });
  const read = () => JSON.parse(readFileSync(report, "utf8"));
  try {
    await sleep(Math.min(10, seconds) * 1000);
    const idle = read();
    const write = `${server.url}/api/v1/write`;
    const firstBusy = index.requests.findIndex((request) => request.scrape >= history * 4);
    await replay(workload, write, { ...replayDefaults, to: firstBusy });
    process.kill(server.pid, "SIGUSR2"); // the probe starts a new histogram
    let done = false;
    let queries = 0;
    const asking = (async () => {
      const end = (index.end - index.interval) / 1000;
      while (!done) {
        const form = new URLSearchParams({ query: heaviest, start: end - 6900, end, step: 30 });
        await (await fetch(`${server.url}/api/v1/query_range`, { method: "POST", body: form })).text();
        queries++;
      }
    })();
    const sent = await replay(workload, write, { ...replayDefaults, from: firstBusy, pace });
    done = true;
    await asking;
    await sleep(1200);
    const busy = read();
    return {
      idleP99: idle.p99,
      busyP99: busy.p99,
      p99: busy.p99 - idle.p99,
      max: busy.max,
      queries,
      samples: sent.samples,
      seconds: sent.seconds,
    };
  } finally {
    await server.stop();
  }
}
