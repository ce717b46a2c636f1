/**
 * The compaction thread: writes blocks from the head, checkpoints of the WAL, snapshots; deletes blocks. The only
 * thread that changes the data directory besides the writer, which owns `wal/` and `chunks_head/`.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { joinPath } from "../base/fs.ts";
import { nodeClock } from "../node/clock.ts";
import { loadCodecs } from "../node/codecs.ts";
import { nodeFs } from "../node/fs.ts";
import { nodeRandom } from "../node/random.ts";
import { removeLeftovers } from "../tsdb/compact/delete-block.ts";
import { deleteObsoleteBlocks } from "../tsdb/compact/retention.ts";
import { snapshotBlocks } from "../tsdb/compact/snapshot.ts";
import { writeBlock } from "../tsdb/compact/write-block.ts";
import { quarantineDir } from "../tsdb/db.ts";
import { liveWalRefs } from "../tsdb/head/head-status.ts";
import { writeCheckpoint } from "../tsdb/wal/checkpoint.ts";
import { Control } from "./control.ts";
import { portLogger } from "./port-logger.ts";
import type { CompactionData, CompactionMethods } from "./protocol.ts";
import { serve } from "./rpc.ts";
import { compactionOwner, ThreadStorage } from "./thread-storage.ts";

const port = parentPort as MessagePort;
const { storage: settings, control: buffer, head } = workerData as CompactionData;
const { dir, blockSegmentBytes, walCompression, walSegmentBytes } = settings;
const logger = portLogger(port, { thread: "compaction" });
const storage = new ThreadStorage(dir, new Control(buffer), compactionOwner, logger);
if (head !== undefined) storage.attach(head);
const codecs = await loadCodecs();
const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom, logger, codecs };
// There is one such thread at a time: what is unfinished was left behind by one that died.
removeLeftovers(env, dir);

serve<CompactionMethods>(port, {
  writeHeadBlock({ mint, maxt, dir: target }) {
    const source = storage.head.chunkSource(mint, maxt);
    const range = { mint, maxt: maxt + 1 };
    return writeBlock(env, target, source, range, { segmentBytesMax: blockSegmentBytes });
  },
  writeCheckpoint({ plan, mint, kept }) {
    const needed = liveWalRefs(storage.headMemory, storage.owner);
    for (const walRef of kept) needed.add(walRef);
    writeCheckpoint(env, joinPath(dir, "wal"), plan, {
      mint,
      keep: (walRef) => needed.has(walRef),
      compression: walCompression,
      segmentBytes: walSegmentBytes,
    });
  },
  deleteBlocks({ retentionMs }) {
    storage.reloadBlocks();
    const limits = { timeMs: retentionMs, sizeBytes: 0, headBytes: 0 };
    const quarantine = joinPath(dir, quarantineDir);
    const { names } = deleteObsoleteBlocks(env, dir, storage.blocks, limits, quarantine);
    return { deleted: names, unreadable: storage.blocks.unreadable.size };
  },
  snapshotBlocks(target) {
    storage.reloadBlocks();
    snapshotBlocks(nodeFs, storage.blocks.blocks, target);
  },
});
