// Loaded into every thread of a server under test: ends its query thread by a query that begins with "# exhaust memory",
// its writer by SIGUSR2.
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
    on.call(parentPort, "message", exhaust);
    return on.call(parentPort, event, listener);
  };
} else if (workerData?.head === undefined) {
  channel.onmessage = () => {
    throw new Error("sabotaged");
  };
}

function exhaust(message) {
  if (!message?.argument?.request?.query?.startsWith("# exhaust memory")) return;
  const hoard = [];
  for (;;) hoard.push(new Array(1e5).fill(hoard.length));
}
