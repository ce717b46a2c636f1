// Seconds from a start after `kill -9` until every series answers at the last sample time.
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../servers.mjs";

const pollMs = 20;
const giveUpMs = 300_000;

/**
 * Kills and starts `kind` on the data in `dir` again and again; the files stay in the page cache.
 * `index` is that of the workload which was ingested. Returns the seconds of each round.
 */
export async function restartSeconds(kind, dir, index, rounds = 3) {
  const time = (index.end - index.interval) / 1000;
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const first = await startServer(kind, dir);
    await untilAll(first.url, time, index.active, kind);
    await first.kill();
    const begun = performance.now();
    const again = await startServer(kind, dir, { wait: false });
    await untilAll(again.url, time, index.active, kind);
    seconds.push((performance.now() - begun) / 1000);
    await again.stop();
  }
  return seconds;
}

async function untilAll(url, time, wanted, kind) {
  const begun = performance.now();
  for (;;) {
    const count = await countAll(url, time);
    if (count >= wanted) return;
    if (performance.now() - begun > giveUpMs)
      throw new Error(`${kind}: ${count} of ${wanted} series after ${giveUpMs / 1000} s`);
    await sleep(pollMs);
  }
}

async function countAll(url, time) {
  const form = new URLSearchParams({ query: 'count({__name__=~".+"})', time: String(time) });
  const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body: form }).catch(() => undefined);
  if (answer?.status !== 200) return 0;
  const { data } = await answer.json();
  return Number(data.result[0]?.value[1] ?? 0);
}
