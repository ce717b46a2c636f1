/**
 * Reads a block through over everything that is damaged in it, and says what is wrong, what is lost with it, and what a
 * new block can be written from. The block is not changed.
 */
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import type { Loss } from "../../base/quarantine-note.ts";
import { ReadAhead } from "../../base/read-ahead.ts";
import { chunkSamples, isChunkEncoding, isHistogramEncoding } from "../../chunkenc/encoding.ts";
import { chunksDir, indexFile } from "../block/block.ts";
import { type BlockMeta, type BlockStats, metaFile, readMeta } from "../block/meta.ts";
import type { Chunk, ChunkSource } from "../chunks/chunk.ts";
import { SegmentReader } from "../chunks/segment-reader.ts";
import { chunkFields } from "../index/reader.ts";
import { requireTombstones, tombstonesFile } from "../tombstones/file.ts";
import { type SalvagedTombstones, salvageTombstones } from "../tombstones/salvage-tombstones.ts";
import { Tombstones } from "../tombstones/tombstones.ts";
import { type SalvagedSeries, salvageIndex } from "./salvage-index.ts";

const indexCacheBytes = 8 * 1024 * 1024;

export interface BlockInspection {
  readonly name: string;
  /** All that is wrong; empty: the block is sound. */
  readonly problems: readonly string[];
  /** Whether meta.json is all that is wrong. */
  readonly onlyMeta: boolean;
  readonly lost: readonly Loss[];
  /** As meta.json says where that agrees with the rest, else as the rest says. */
  readonly meta: BlockMeta;
  readonly series: readonly SalvagedSeries[];
  readonly tombstones: Tombstones;
}

/** What an earlier look at the block's meta.json found: it never changes. */
export interface KnownTimes {
  readonly minTime: number;
  readonly maxTime: number;
}

/** Throws a CorruptionError where nothing of the block can be saved, or the system's error. */
export function inspectBlock(fs: Fs, dir: string, known?: KnownTimes): BlockInspection {
  const name = dir.slice(dir.lastIndexOf("/") + 1);
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      problems.push((error as Error).message);
      return undefined;
    }
  };
  const said = attempt(() => readMeta(fs, dir));
  const file = new PageCache(indexCacheBytes).open(fs, joinPath(dir, indexFile));
  try {
    const before = problems.length;
    const index = salvageIndex(file, said?.version === 2 ? 2 : undefined);
    problems.push(...index.problems);
    const sound = attempt(() => requireTombstones(fs, dir, said?.stats.numTombstones ?? 0));
    const { tombstones, isWhole } =
      sound === undefined ? salvagedTombstones(fs, dir, index.series) : { tombstones: sound, isWhole: true };
    const checked = checkChunks(fs, dir, index.series);
    problems.push(...checked.problems);
    const onlyMeta = problems.length === before;
    const { meta, problems: metaProblems } = checkMeta(dir, name, said, checked.found, onlyMeta, known);
    problems.push(...metaProblems);
    const lost: Loss[] = index.lostSeries.map((series) => ({
      series,
      mint: meta.minTime,
      maxt: meta.maxTime - 1,
      what: "a series of the index",
    }));
    lost.push(...checked.lost);
    if (!isWhole) {
      lost.push({
        series: "",
        mint: meta.minTime,
        maxt: meta.maxTime - 1,
        what: `deletions; ${tombstones.total} could be read`,
        deletions: true,
      });
    }
    return {
      name,
      problems,
      onlyMeta,
      lost,
      meta,
      series: checked.series,
      tombstones,
    };
  } finally {
    file.close();
  }
}

function salvagedTombstones(fs: Fs, dir: string, all: readonly SalvagedSeries[]): SalvagedTombstones {
  const path = joinPath(dir, tombstonesFile);
  if (fs.stat(path) === undefined) return { tombstones: new Tombstones(), isWhole: false };
  const chunksOfRef = new Map(all.map(({ ref, chunks }) => [ref, chunks]));
  // A deletion does not reach beyond its series' chunks, in Prometheus too.
  return salvageTombstones(fs.readFile(path), path, (ref, { mint, maxt }) => {
    const chunks = chunksOfRef.get(ref);
    if (chunks === undefined || chunks.length === 0) return false;
    return chunks[0] <= mint && mint <= maxt && maxt <= chunks[chunks.length - chunkFields + 1];
  });
}

/** Damage of a file, or that it is missing. */
export function isDamage(error: unknown): boolean {
  return error instanceof CorruptionError || (error as { code?: unknown }).code === "ENOENT";
}

interface Found extends BlockStats {
  readonly mint: number;
  readonly maxt: number;
}

interface CheckedChunks {
  readonly series: readonly SalvagedSeries[];
  readonly problems: readonly string[];
  readonly lost: readonly Loss[];
  readonly found: Found;
}

/** Reads every chunk; takes out those that are not sound. */
function checkChunks(fs: Fs, dir: string, all: readonly SalvagedSeries[]): CheckedChunks {
  const problems: string[] = [];
  const lost: Loss[] = [];
  const series: SalvagedSeries[] = [];
  let [mint, maxt] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [numChunks, numSamples, numHistogramSamples] = [0, 0, 0];
  const segments = SegmentReader.openDamaged(fs, new ReadAhead(), joinPath(dir, chunksDir), problems);
  try {
    for (const one of all) {
      const chunks: number[] = [];
      for (let i = 0; i < one.chunks.length; i += chunkFields) {
        const [from, to, ref] = one.chunks.slice(i, i + chunkFields);
        mint = Math.min(mint, from);
        maxt = Math.max(maxt, to);
        try {
          const { encoding, bytes } = soundChunk(segments, ref, from, to);
          const samples = chunkSamples(encoding, bytes);
          numChunks++;
          numSamples += samples;
          if (isHistogramEncoding(encoding)) numHistogramSamples += samples;
          chunks.push(from, to, ref);
        } catch (error) {
          if (!(error instanceof CorruptionError)) throw error;
          problems.push(error.message);
          const { labels } = one;
          lost.push({
            series: labels.toString(),
            labels: labels.pairs,
            mint: from,
            maxt: to,
            what: "a chunk",
          });
        }
      }
      if (chunks.length > 0) series.push({ ...one, chunks });
    }
  } finally {
    segments.close();
  }
  const numSeries = series.length;
  const numFloatSamples = numSamples - numHistogramSamples;
  const counts = { numSeries, numChunks, numSamples, numFloatSamples, numHistogramSamples, numTombstones: 0 };
  return { series, problems, lost, found: { ...counts, mint, maxt } };
}

function soundChunk(segments: SegmentReader, ref: number, mint: number, maxt: number): Chunk {
  const chunk = segments.storedChunk(ref, mint, maxt);
  if (!isChunkEncoding(chunk.encoding) || chunkSamples(chunk.encoding, chunk.bytes) === 0 || mint > maxt) {
    throw new CorruptionError("chunk", ref, `encoding ${chunk.encoding}, from ${mint} to ${maxt}`);
  }
  return chunk;
}

/** Holds meta.json against what was found. Counts are only compared where nothing is lost. */
function checkMeta(
  dir: string,
  name: string,
  said: BlockMeta | undefined,
  found: Found,
  isWhole: boolean,
  known: KnownTimes | undefined,
): { meta: BlockMeta; problems: string[] } {
  const { mint, maxt, ...stats } = found;
  const problems: string[] = [];
  const path = joinPath(dir, metaFile);
  const wrong = (what: string) => problems.push(`${path}: ${what}`);
  if (said !== undefined) {
    if (said.ulid !== name) wrong(`it says that it is ${said.ulid}`);
    if (said.minTime > mint || said.maxTime <= maxt) {
      wrong(`from ${said.minTime} to ${said.maxTime}, but there are samples from ${mint} to ${maxt}`);
    }
    if (known !== undefined && (said.minTime !== known.minTime || said.maxTime !== known.maxTime)) {
      wrong(`from ${said.minTime} to ${said.maxTime}, but it was from ${known.minTime} to ${known.maxTime}`);
    }
    for (const what of ["numSeries", "numChunks", "numSamples"] as const) {
      if (isWhole && said.stats[what] !== stats[what]) {
        wrong(`${what} is ${said.stats[what]}, but the block holds ${stats[what]}`);
      }
    }
  }
  const fits = said !== undefined && problems.length === 0;
  if (fits) return { meta: said, problems };
  const compaction = { level: 1, sources: [name], deletable: false, parents: [], failed: false, hints: [] };
  return {
    meta: {
      ulid: name,
      minTime: Math.min(mint, (known ?? said)?.minTime ?? mint),
      maxTime: Math.max(maxt + 1, (known ?? said)?.maxTime ?? maxt + 1),
      stats,
      compaction: said?.compaction ?? compaction,
      version: said?.version ?? 1,
    },
    problems,
  };
}

/** What can be saved, as the source of a new block. To be closed. */
export function salvageSource(
  fs: Fs,
  dir: string,
  { series }: Pick<BlockInspection, "series">,
): ChunkSource & { close(): void } {
  const segments = SegmentReader.openDamaged(fs, new ReadAhead(), joinPath(dir, chunksDir), []);
  return {
    *series() {
      for (const one of series) yield { labels: one.labels, chunks: () => chunksOf(segments, one.chunks) };
    },
    close: () => segments.close(),
  };
}

function* chunksOf(segments: SegmentReader, chunks: readonly number[]): Iterable<Chunk> {
  for (let i = 0; i < chunks.length; i += chunkFields) {
    yield segments.storedChunk(chunks[i + 2], chunks[i], chunks[i + 1]);
  }
}
