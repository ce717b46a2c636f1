// Loaded into every thread of a server under test: its writer rests for a while before the first segment of the WAL.
import { isMainThread, parentPort } from "node:worker_threads";

const restMs = 4000;

if (!isMainThread) {
  const { postMessage } = parentPort;
  let rested = false;
  const word = new Int32Array(new SharedArrayBuffer(4));
  parentPort.postMessage = (message, ...rest) => {
    postMessage.call(parentPort, message, ...rest);
    if (message?.notice !== "replay" || rested) return;
    rested = true;
    Atomics.wait(word, 0, 0, restMs);
  };
}
