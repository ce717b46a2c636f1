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
import type { Block } from "../tsdb/block/block.ts";
import type { BlockDescription, BlockMeta } from "../tsdb/block/meta.ts";
import type { ChunkSource } from "../tsdb/chunks/chunk.ts";
import {
  type CompactOptions,
  cleanBlock,
  compactBlocks,
  freedByCleaning,
} from "../tsdb/compact/compact-blocks.ts";
import { removeLeftovers } from "../tsdb/compact/delete-block.ts";
import { deleteSamples as deleteFromBlock } from "../tsdb/compact/delete-samples.ts";
import { hints, planCompactions } from "../tsdb/compact/plan.ts";
import { deleteObsoleteBlocks } from "../tsdb/compact/retention.ts";
import {
  cutoffOf,
  hasExpiredSeries,
  newestEnd,
  type RetentionRule,
} from "../tsdb/compact/retention-rules.ts";
import { snapshotBlocks } from "../tsdb/compact/snapshot.ts";
import { withoutPendingUploads } from "../tsdb/compact/upload-file.ts";
import { type BlockRange, writeBlock } from "../tsdb/compact/write-block.ts";
import { headChunksDir, quarantineDir, walDir, wblDir } from "../tsdb/db.ts";
import { liveWalRefs } from "../tsdb/head/head-status.ts";
import { publishSnapshot } from "../tsdb/head-snapshot/files.ts";
import { writeCheckpoint } from "../tsdb/wal/checkpoint.ts";
import { checkpointPath } from "../tsdb/wal/checkpoint-dir.ts";
import { ChunkHistograms } from "./chunk-histograms.ts";
import { Control } from "./control.ts";
import { portLogger } from "./port-logger.ts";
import type { CompactionData, CompactionMethods, CompactionNotice, RewrittenBlock } from "./protocol.ts";
import { serve } from "./rpc.ts";
import type { RetentionSettings } from "./settings.ts";
import { takeHeadSnapshot } from "./take-head-snapshot.ts";
import { compactionOwner, ThreadStorage } from "./thread-storage.ts";

/** What counts for the retention by size besides the blocks; the last one is the log of out-of-order samples. */
const headDirs = [walDir, headChunksDir, wblDir];

const port = parentPort as MessagePort;
const { storage: settings, control: buffer, head, sweeps } = workerData as CompactionData;
const { dir, blockSegmentBytes, walCompression, walSegmentBytes } = settings;
const logger = portLogger(port, { thread: "compaction" });
const control = new Control(buffer);
const storage = new ThreadStorage(dir, control, compactionOwner, logger, settings.cacheBytes);
if (head !== undefined) storage.attach(head);
const codecs = await loadCodecs();
const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom, logger, codecs };
if (sweeps) removeLeftovers(env, dir);
const options: CompactOptions = { segmentBytesMax: blockSegmentBytes };

function parseRules(rules: RetentionSettings["rules"]): readonly RetentionRule[] {
  return rules.map(({ match, timeMs }) => ({ matchers: parseMetricSelector(match), timeMs }));
}

function optionsWith(rules: readonly RetentionRule[]): CompactOptions {
  if (rules.length === 0) return options;
  return { ...options, cutoff: cutoffOf(rules, newestEnd(storage.blocks.blocks)) };
}

/** Those that a rule wants series out of. */
function blocksOf(rules: readonly RetentionRule[]): readonly Block[] {
  storage.reloadBlocks();
  const { blocks } = storage.blocks;
  return blocks.filter((block) => hasExpiredSeries(block, rules, newestEnd(blocks)));
}

function rewritten({ meta, sizeBytes }: Block, freedBytes: number): RewrittenBlock {
  const { ulid, minTime, maxTime } = meta;
  return { ulid, minTime, maxTime, sizeBytes, freedBytes };
}

/** Writes a block of what the head holds, and posts what its chunks are like. */
function writeFromHead(
  target: string,
  source: ChunkSource,
  range: BlockRange,
  blockHints: readonly string[] = [],
): BlockMeta | undefined {
  const chunks = new ChunkHistograms();
  const onChunk = (sizeBytes: number, samples: number, rangeMs: number) =>
    chunks.observe(sizeBytes, samples, rangeMs);
  const meta = writeBlock(env, target, source, range, { ...options, hints: blockHints, onChunk });
  port.postMessage({ notice: "chunks", chunks: chunks.observed } satisfies CompactionNotice);
  return meta;
}

let buffersCounted = 0;

/** Buffers outside of the JavaScript heap; the pages of the cache are counted as such. */
function countMemory(): void {
  storage.fitCache();
  const buffers = Math.max(0, process.memoryUsage().external - storage.cacheUsedBytes);
  control.memory.changeCompaction(buffers - buffersCounted);
  buffersCounted = buffers;
}

serve<CompactionMethods>(
  port,
  {
    writeHeadBlock({ mint, maxt, dir: target }) {
      return writeFromHead(target, storage.head.chunkSource(mint, maxt), { mint, maxt: maxt + 1 });
    },
    writeLateBlocks({ mint, maxt, lastFileRef, encodings }) {
      const { blockRangeMs } = settings;
      const written: BlockDescription[] = [];
      for (let from = Math.floor(mint / blockRangeMs) * blockRangeMs; from <= maxt; from += blockRangeMs) {
        const range = { mint: from, maxt: from + blockRangeMs };
        const late = { mint: from, maxt: range.maxt - 1, lastFileRef };
        const source = storage.head.lateSource(late, encodings);
        const meta = writeFromHead(dir, source, range, [hints.outOfOrder]);
        if (meta !== undefined) written.push(meta);
      }
      return written;
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
    compactBlocks({ names, rules, encodings }) {
      storage.reloadBlocks();
      const blocks = storage.blocks.blocks.filter(({ name }) => names.includes(name));
      const begunMs = nodeClock.monotonicMs();
      const block = compactBlocks(env, dir, blocks, { ...optionsWith(parseRules(rules)), encodings });
      const overlapping = blocks.some(({ meta }, i) => i > 0 && meta.minTime < blocks[i - 1].meta.maxTime);
      return { block, overlapping, seconds: (nodeClock.monotonicMs() - begunMs) / 1000 };
    },
    applyRetentionRule(texts) {
      const rules = parseRules(texts);
      const block = blocksOf(rules)[0];
      if (block === undefined) return undefined;
      requireSpace(dir, block.sizeBytes);
      const child = cleanBlock(env, dir, block, optionsWith(rules));
      const left = child === undefined ? 0 : bytesBelow(nodeFs, joinPath(dir, child.ulid));
      return rewritten(block, block.sizeBytes - left);
    },
    tryRetentionRules(texts) {
      const rules = parseRules(texts);
      const cleaning = optionsWith(rules);
      return blocksOf(rules).map((block) => rewritten(block, freedByCleaning(env, dir, block, cleaning)));
    },
    deleteSamples({ matches, mint, maxt }) {
      let series = 0;
      for (const matchers of matches.map(parseMetricSelector)) {
        storage.reloadBlocks();
        storage.blocks.requireAll("the deletion");
        const blocks = storage.blocks.blocks.filter((block) => block.overlaps(mint, maxt));
        for (const block of blocks) series += deleteFromBlock(nodeFs, block, mint, maxt, matchers);
      }
      return series;
    },
    cleanNext() {
      storage.reloadBlocks();
      storage.blocks.requireAll("cleaning the deletions");
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
    takeHeadSnapshot(begin) {
      return takeHeadSnapshot(nodeFs, settings, begin, {
        memory: storage.headMemory,
        store: storage.headChunks,
        owner: storage.owner,
        createdMs: nodeClock.nowMs(),
      });
    },
    publishHeadSnapshot: () => publishSnapshot(nodeFs, dir),
    snapshotBlocks(target) {
      storage.reloadBlocks();
      storage.blocks.requireAll("the snapshot");
      snapshotBlocks(nodeFs, storage.blocks.blocks, target);
    },
  },
  countMemory,
);
