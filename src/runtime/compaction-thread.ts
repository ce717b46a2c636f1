/**
 * The compaction thread: writes blocks from the head, checkpoints of the WAL, snapshots; deletes blocks. The only
 * thread that changes the data directory besides the writer, which owns `wal/` and `chunks_head/`.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { bytesBelow, joinPath } from "../base/fs.ts";
import { nodeClock } from "../node/clock.ts";
import { loadCodecs } from "../node/codecs.ts";
import { diskBytes, requireSpace } from "../node/disk.ts";
import { nodeFs } from "../node/fs.ts";
import { nodeRandom } from "../node/random.ts";
import { parseMetricSelector } from "../promql/parser/parser.ts";
import { cleanBlock, compactBlocks } from "../tsdb/compact/compact-blocks.ts";
import { removeLeftovers } from "../tsdb/compact/delete-block.ts";
import { deleteSamples as deleteFromBlock } from "../tsdb/compact/delete-samples.ts";
import { planCompactions } from "../tsdb/compact/plan.ts";
import { deleteObsoleteBlocks } from "../tsdb/compact/retention.ts";
import { snapshotBlocks } from "../tsdb/compact/snapshot.ts";
import { withoutPendingUploads } from "../tsdb/compact/upload-file.ts";
import { writeBlock } from "../tsdb/compact/write-block.ts";
import { headChunksDir, quarantineDir, walDir } from "../tsdb/db.ts";
import { liveWalRefs } from "../tsdb/head/head-status.ts";
import { writeCheckpoint } from "../tsdb/wal/checkpoint.ts";
import { checkpointPath } from "../tsdb/wal/checkpoint-dir.ts";
import { Control } from "./control.ts";
import { portLogger } from "./port-logger.ts";
import type { CompactionData, CompactionMethods } from "./protocol.ts";
import { serve } from "./rpc.ts";
import { compactionOwner, ThreadStorage } from "./thread-storage.ts";

/** What counts for the retention by size besides the blocks; the last one is Prometheus's log of late samples. */
const headDirs = [walDir, headChunksDir, "wbl"];

const port = parentPort as MessagePort;
const { storage: settings, control: buffer, head, sweeps } = workerData as CompactionData;
const { dir, blockSegmentBytes, walCompression, walSegmentBytes } = settings;
const logger = portLogger(port, { thread: "compaction" });
const storage = new ThreadStorage(dir, new Control(buffer), compactionOwner, logger, settings.cacheBytes);
if (head !== undefined) storage.attach(head);
const codecs = await loadCodecs();
const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom, logger, codecs };
if (sweeps) removeLeftovers(env, dir);
const options = { segmentBytesMax: blockSegmentBytes };

serve<CompactionMethods>(port, {
  writeHeadBlock({ mint, maxt, dir: target }) {
    const source = storage.head.chunkSource(mint, maxt);
    const range = { mint, maxt: maxt + 1 };
    return writeBlock(env, target, source, range, options);
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
    const checkpoint = checkpointPath(joinPath(dir, "wal"), plan.to);
    return nodeFs
      .list(checkpoint)
      .reduce((sum, name) => sum + (nodeFs.stat(joinPath(checkpoint, name))?.sizeBytes ?? 0), 0);
  },
  planCompactions({ ranges }) {
    storage.reloadBlocks();
    const { blocks } = storage.blocks;
    const { delayCompactFile } = settings;
    const ready = delayCompactFile === "" ? blocks : withoutPendingUploads(env, delayCompactFile, blocks);
    return planCompactions(ready, ranges).map((group) => group.map(({ name }) => name));
  },
  compactBlocks(names) {
    storage.reloadBlocks();
    const blocks = storage.blocks.blocks.filter(({ name }) => names.includes(name));
    const begunMs = nodeClock.monotonicMs();
    const block = compactBlocks(env, dir, blocks, options);
    const overlapping = blocks.some(({ meta }, i) => i > 0 && meta.minTime < blocks[i - 1].meta.maxTime);
    return { block, overlapping, seconds: (nodeClock.monotonicMs() - begunMs) / 1000 };
  },
  deleteSamples({ matches, mint, maxt }) {
    let series = 0;
    for (const matchers of matches.map(parseMetricSelector)) {
      storage.reloadBlocks();
      const blocks = storage.blocks.blocks.filter((block) => block.overlaps(mint, maxt));
      for (const block of blocks) series += deleteFromBlock(nodeFs, block, mint, maxt, matchers);
    }
    return series;
  },
  cleanNext() {
    storage.reloadBlocks();
    const block = storage.blocks.blocks.find(({ meta }) => meta.stats.numTombstones > 0);
    if (block === undefined) return undefined;
    requireSpace(dir, block.sizeBytes);
    cleanBlock(env, dir, block, options);
    return { cleaned: block.name };
  },
  deleteBlocks({ timeMs, sizeBytes, percentage }) {
    storage.reloadBlocks();
    const disk = percentage > 0 ? diskBytes(dir) : undefined;
    const limits = {
      timeMs,
      sizeBytes: disk === undefined ? sizeBytes : Math.floor((disk * percentage) / 100),
      headBytes: headDirs.reduce((sum, name) => sum + bytesBelow(nodeFs, joinPath(dir, name)), 0),
    };
    const quarantine = joinPath(dir, quarantineDir);
    const { names, ...counts } = deleteObsoleteBlocks(env, dir, storage.blocks, limits, quarantine);
    return { deleted: names, ...counts, unreadable: storage.blocks.unreadable.size };
  },
  snapshotBlocks(target) {
    storage.reloadBlocks();
    snapshotBlocks(nodeFs, storage.blocks.blocks, target);
  },
});
