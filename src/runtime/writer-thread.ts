/**
 * The writer thread: the one owner of the head and the WAL. Everything that is stored passes through here: scraped pages,
 * remote-write requests. Work that may take long is done in slices between messages.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { answerExemplars } from "../api/answer-exemplars.ts";
import type { ExemplarSource } from "../api/query-sources.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { joinPath } from "../base/fs.ts";
import { PageCache } from "../base/page-cache.ts";
import { formatSize } from "../config/size.ts";
import { headKernel } from "../kernels/head-kernel.ts";
import { scrapeKernel } from "../kernels/scrape-kernel.ts";
import { ScrapeMemory } from "../kernels/scrape-memory.ts";
import { nodeClock } from "../node/clock.ts";
import { loadCodecs } from "../node/codecs.ts";
import { diskSpace } from "../node/file-system.ts";
import { nodeFs, syncFile } from "../node/fs.ts";
import { readKernel } from "../node/kernel-files.ts";
import { nodeRandom } from "../node/random.ts";
import { parseMetricSelector } from "../promql/parser/parser.ts";
import { retryLater, type WriteAnswer, type WriteHeaders } from "../remote/write-protocol.ts";
import { WriteReceiver } from "../remote/write-receiver.ts";
import { ScrapeIngest } from "../scrape/ingest.ts";
import { HeadChunkReader } from "../tsdb/chunks/head-chunk-reader.ts";
import { stateOf } from "../tsdb/disk-guard.ts";
import { publishSnapshot } from "../tsdb/head-snapshot/files.ts";
import { openDb } from "../tsdb/open-db.ts";
import { headChunksDir } from "../tsdb/recover.ts";
import { Control } from "./control.ts";
import { portLogger } from "./port-logger.ts";
import type { WriterData, WriterMethods, WriterNotice, WriterSettings } from "./protocol.ts";
import { RecentSeconds } from "./recent-seconds.ts";
import { Handover, serve } from "./rpc.ts";
import { takeHeadSnapshot } from "./take-head-snapshot.ts";
import { writerOwner } from "./thread-storage.ts";
import { WriterMemory } from "./writer-memory.ts";
import { writerStats } from "./writer-stats.ts";

/** A slice of the truncation of the head: short against a batch's few milliseconds. */
const sliceMs = 2;
/** Between two looks at the memory while nothing happens. */
const judgeMs = 1000;
/** While running queries keep a truncation waiting. */
const waitMs = 20;

const port = parentPort as MessagePort;
const { storage: settings, settings: initial, control: buffer } = workerData as WriterData;
const logger = portLogger(port, { thread: "writer" });
const control = new Control(buffer);
const notify = (notice: WriterNotice) => port.postMessage(notice);

const codecs = await loadCodecs();
const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom, logger, codecs };
const syncs = { wal: new RecentSeconds(), wbl: new RecentSeconds() };
/** Remote-write requests that were refused before they were begun, because nothing is stored at present. */
const refused = { requests: 0 };
const db = openDb(env, settings.dir, {
  ...settings,
  encodings: initial.encodings,
  kernel: (memory) => headKernel(readKernel("head"), memory),
  onReplay: (segment, first, last) => notify({ notice: "replay", segment, first, last }),
  onBlocks: (endMs) => {
    control.headFromMs = endMs;
  },
  onSync: (seconds) => syncs.wal.observe(seconds, nodeClock.monotonicMs()),
  onLateSync: (seconds) => syncs.wbl.observe(seconds, nodeClock.monotonicMs()),
  syncFull: syncFile,
  disk: {
    reserveBytes: settings.reserveBytes,
    freeBytes: () => diskSpace(settings.dir)?.freeBytes,
    onChange: (problem) => notify({ notice: "disk", problem }),
  },
});
if (db.damageCount > 0) {
  const problem = `Damage was found on the disk and repaired (${db.damageCount} files or blocks). What was damaged is in quarantine/ in the data directory, with notes of what is missing.`;
  notify({ notice: "damage", problem });
}
logger.info("The write-ahead log has been replayed", {
  seconds: db.replaySeconds.toFixed(3),
  ...(db.snapshotSeries === undefined ? {} : { seriesOfSnapshot: db.snapshotSeries }),
  records: db.wal.replayed.recordCount,
  series: db.head.stats.series,
});

const receiver = new WriteReceiver(
  { clock: nodeClock, logger, snappy: codecs.snappy },
  db.appender,
  db.head.newWriteMemory(),
);
const scrapes = new ScrapeIngest({
  ...env,
  appender: db.appender,
  memory: new ScrapeMemory(nodeRandom.u32(), scrapeKernel(readKernel("scrape"))),
  exemplars: settings.keepExemplars,
});
const exemplars: ExemplarSource = {
  exemplars: (startMs, endMs, matcherSets) => db.head.exemplars.select(startMs, endMs, matcherSets),
};
const memory = new WriterMemory(db, control.memory, nodeClock, logger);
db.head.budget.limitText = formatSize(settings.memoryLimitBytes);
configure(initial);
memory.judge();
setInterval(() => {
  memory.judge();
  announceCompaction();
}, judgeMs);
let announced = false;

function configure(changed: WriterSettings): void {
  const { exemplarsMax, seriesLimits, staleSeriesThreshold, outOfOrderWindowMs, encodings } = changed;
  db.head.exemplars.resize(exemplarsMax);
  db.head.budget.limits = seriesLimits;
  db.staleSeriesThreshold = staleSeriesThreshold;
  db.outOfOrderWindowMs = outOfOrderWindowMs;
  db.head.encodings = encodings;
}

/** Tells the main thread once that a block can be cut from the head. */
function announceCompaction(): void {
  if (announced || db.headCompactionDue() === undefined) return;
  announced = true;
  notify({ notice: "compactable" });
}

function receive(body: Uint8Array, headers: WriteHeaders): WriteAnswer {
  const { problem, retryAfterSeconds } = db.disk;
  if (problem === "") return receiver.receive(body, headers);
  refused.requests++;
  return retryLater(problem, retryAfterSeconds);
}

/** So that the next start is quick. Nothing is appended any more; what goes wrong costs only that. */
function snapshotAtEnd(): void {
  if (settings.headSnapshotIntervalMs === 0 || db.disk.problem !== "") return;
  const store = new HeadChunkReader(
    { fs: nodeFs, cache: new PageCache(1 << 20) },
    joinPath(settings.dir, headChunksDir),
  );
  try {
    const begin = db.beginHeadSnapshot();
    if (begin === undefined) return;
    takeHeadSnapshot(nodeFs, settings, begin, {
      memory: db.head.memory,
      store,
      owner: writerOwner,
      createdMs: nodeClock.nowMs(),
    });
    publishSnapshot(nodeFs, settings.dir);
  } catch (error) {
    logger.warn("No head snapshot could be taken at the end: the next start replays the write-ahead log", {
      reason: (error as Error).message,
    });
  } finally {
    store.close();
  }
}

/** A disk that is full or failing does not keep the server from ending in order. */
function closeDb(): void {
  snapshotAtEnd();
  try {
    db.close();
  } catch (error) {
    if (stateOf(error) === undefined) throw error;
    logger.warn(
      "Not everything could be written out at the end. What was acknowledged is in the write-ahead log, and the next start reads it",
      { error: (error as Error).message },
    );
  }
}

/** Truncates in slices; messages are served in between. */
async function truncate(mint: number): Promise<void> {
  for (;;) {
    const endMs = nodeClock.monotonicMs() + sliceMs;
    const state = db.truncateHead(mint, () => nodeClock.monotonicMs() > endMs);
    memory.judge();
    if (state === "done") return;
    if (state === "waiting") await new Promise((resolve) => setTimeout(resolve, waitMs));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Asks again while running queries are in the way; messages are served in between. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

serve<WriterMethods>(port, {
  ready: () => ({ head: db.head.handle }),
  write({ body, headers }) {
    const answer = receive(body, headers);
    memory.judge();
    announceCompaction();
    return new Handover({ answer: { ...answer, body: encodeUtf8(answer.body) }, body }, [
      body.buffer as ArrayBuffer,
    ]);
  },
  openTarget: (target) => scrapes.open(target),
  async deliver({ id, page }) {
    const { problem } = db.disk;
    if (problem !== "") {
      scrapes.stats.scrapesSkipped++;
      return { scraped: 0, postRelabel: 0, added: 0, error: `the scrape was skipped. ${problem}` };
    }
    const report = await scrapes.deliver(id, page);
    memory.judge();
    announceCompaction();
    return report;
  },
  closeTarget: ({ id, staleAt }) => scrapes.close(id, staleAt),
  metadata: (id) => scrapes.metadata(id),
  exemplars: (request) => answerExemplars(exemplars, request),
  configure,
  culprits: (limit) => db.head.budget.refused.culprits(limit),
  headCompactionDue() {
    announced = false;
    return db.headCompactionDue();
  },
  truncateHead: truncate,
  async planLateCompaction() {
    const plan = db.planLateCompaction();
    if (plan !== undefined) await until(() => db.settleLate());
    return plan;
  },
  truncateLate: (compaction) => until(() => db.truncateLate(compaction)),
  planCheckpoint: (mint) => db.planCheckpoint(mint),
  finishCheckpoint: (mint) => db.finishCheckpoint(mint),
  beginHeadSnapshot: () => db.beginHeadSnapshot(),
  headSnapshotStands: (removals) => db.headSnapshotStands(removals),
  headRange: () => db.headRange(),
  deleteSamples({ matches, mint, maxt }) {
    let series = 0;
    for (const matchers of matches.map(parseMetricSelector))
      series += db.deleteSamples(mint, maxt, matchers, writerOwner);
    return series;
  },
  stats: () => writerStats(db, receiver, scrapes, syncs, refused, nodeClock.monotonicMs()),
  close: closeDb,
});
