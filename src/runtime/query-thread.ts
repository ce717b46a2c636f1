/** A query thread: evaluates queries over the shared head and the blocks, one at a time, and builds their answers. */

import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { answerQuery } from "../api/answer-query.ts";
import { nodeClock } from "../node/clock.ts";
import { Engine } from "../promql/engine.ts";
import { blockStatus } from "../tsdb/block/block-status.ts";
import { metaJson } from "../tsdb/block/meta.ts";
import { headStatus } from "../tsdb/head/head-status.ts";
import { Control } from "./control.ts";
import { portLogger } from "./port-logger.ts";
import type { QueryData, QueryMethods } from "./protocol.ts";
import { Handover, serve } from "./rpc.ts";
import type { QuerySettings } from "./settings.ts";
import { queryOwner, ThreadStorage } from "./thread-storage.ts";

const port = parentPort as MessagePort;
const { storage: settings, queries, control: buffer, head, thread } = workerData as QueryData;
const logger = portLogger(port, { thread: `query ${thread + 1}` });
const control = new Control(buffer);
const cancelled = control.cancellation(thread);
const heldKiB = control.memory.queryWord(thread);
const storage = new ThreadStorage(settings.dir, control, queryOwner(thread), logger, settings.cacheBytes);
if (head !== undefined) storage.attach(head);

let engine = newEngine(queries);
let { bytesMax } = queries;

function newEngine({
  lookbackMs,
  samplesMax,
  bytesMax,
  timeoutMs,
  evaluationIntervalMs,
}: QuerySettings): Engine {
  return new Engine({
    clock: nodeClock,
    lookbackMs,
    samplesMax,
    bytesMax,
    timeoutMs,
    heldKiB,
    noStepSubqueryIntervalMs: () => evaluationIntervalMs,
  });
}

serve<QueryMethods>(port, {
  answer({ request, queuedMs }) {
    const sources = { engine, queryable: storage, exemplars: undefined, selectionBytesMax: bytesMax, logger };
    const answer = answerQuery(sources, request, { queuedMs, cancelled, heldKiB });
    Atomics.store(heldKiB, 0, 0);
    storage.fitCache();
    return new Handover(answer, [answer.body.buffer as ArrayBuffer]);
  },
  attach(handle) {
    storage.attach(handle);
  },
  configure(changed) {
    engine = newEngine(changed);
    bytesMax = changed.bytesMax;
  },
  blockStatus({ block: name, limit }) {
    storage.reloadBlocks();
    const block = storage.blocks.blocks.find((one) => one.name === name);
    return block === undefined ? undefined : blockStatus(block, limit);
  },
  blockMetas() {
    storage.reloadBlocks();
    return storage.blocks.blocks.map(({ meta }) => metaJson(meta));
  },
  headStatus: (limit) => headStatus(storage.headMemory, storage.owner, limit),
});
