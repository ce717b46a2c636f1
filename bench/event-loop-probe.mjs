// Loaded into a server by `node --import`: writes the main thread's event-loop delay to $EVENT_LOOP_REPORT once a second.
// SIGUSR2 starts a new histogram.
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

if (isMainThread && process.env.EVENT_LOOP_REPORT) {
  const resolutionMs = 1;
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  process.on("SIGUSR2", () => delays.reset());
  setInterval(() => {
    const ms = (nanoseconds) => nanoseconds / 1e6;
    const report = { p50: ms(delays.percentile(50)), p99: ms(delays.percentile(99)), max: ms(delays.max) };
    writeFileSync(process.env.EVENT_LOOP_REPORT, JSON.stringify(report));
  }, 1000).unref();
}
