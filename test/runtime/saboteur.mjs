// Loaded into every thread of a server under test: ends its query thread by a query that begins with "# exhaust memory"
// or "# exit", its writer by SIGUSR2.
import { BroadcastChannel, isMainThread, parentPort, workerData } from "node:worker_threads";

const channel = new BroadcastChannel("saboteur");
channel.unref?.();

if (isMainThread) {
  process.on("SIGUSR2", () => channel.postMessage("throw"));
} else if (workerData?.thread !== undefined) {
  // Listening at once would take the messages that come before the thread itself listens.
  const on = parentPort.on;
  parentPort.on = (event, listener) => {
    parentPort.on = on;
    on.call(parentPort, "message", sabotage);
    return on.call(parentPort, event, listener);
  };
} else if (workerData?.head === undefined) {
  channel.onmessage = () => {
    throw new Error("sabotaged");
  };
}

function sabotage(message) {
  const query = message?.argument?.request?.query ?? "";
  if (query.startsWith("# exit")) process.exit(7);
  if (!query.startsWith("# exhaust memory")) return;
  const hoard = [];
  for (;;) hoard.push(new Array(1e5).fill(hoard.length));
}
