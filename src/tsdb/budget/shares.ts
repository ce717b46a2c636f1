/**
 * How a memory limit for the whole process is divided. The arena of the head gets what the others leave:
 *
 *   limit = fixed (threads, code; measured) + caches + queries + compaction + spare + arena
 *
 * What the others get is set at the start and does not change; what is fixed is measured again and again.
 */

export interface MemoryShares {
  readonly limitBytes: number;
  /** Of file pages, in all reading threads together, and in one. */
  readonly cacheBytes: number;
  readonly cacheBytesMax: number;
  /** Of all queries together, and of one. */
  readonly queryBytes: number;
  readonly queryBytesMax: number;
  /** Buffers of a compaction. */
  readonly compactionBytes: number;
  /** For what comes between two measurements. */
  readonly spareBytes: number;
}

const mebibyte = 2 ** 20;
const cachePerThreadMax = 16 * mebibyte;
export const pageBytes = 65_536;
/** What the WebAssembly memory of a head can have. */
export const arenaPagesMax = 65_536;
/** A thread for so much of the limit. */
const limitPerThread = 128 * mebibyte;
/** Less than this is no server. */
export const memoryLimitMin = 192 * mebibyte;
/** The arena gets so much at least, whatever the others take: a head of some ten thousand series. */
const arenaBytesMin = 32 * mebibyte;

/** How many threads of a kind a limit has room for. */
export function threadsFor(limitBytes: number): number {
  return Math.max(1, Math.floor(limitBytes / limitPerThread));
}

/** `queries`, `compactions`: how many threads there may be for each. */
export function divideMemory(limitBytes: number, queries: number, compactions: number): MemoryShares {
  const readers = queries + compactions;
  const queryBytes = limitBytes < 1024 * mebibyte ? limitBytes / 8 : limitBytes / 4;
  return {
    limitBytes,
    cacheBytesMax: Math.floor(Math.min(cachePerThreadMax, limitBytes / 16 / readers)),
    cacheBytes: Math.floor(Math.min(readers * cachePerThreadMax, limitBytes / 16)),
    queryBytes: Math.floor(queryBytes),
    queryBytesMax: Math.floor(queryBytes / queries),
    compactionBytes: Math.floor(Math.min(64 * mebibyte, limitBytes / 32)),
    spareBytes: Math.floor(Math.min(256 * mebibyte, limitBytes / 32)),
  };
}

/** How many pages the arena may take beside `fixedBytes` of threads and code. */
export function arenaPages(shares: MemoryShares, fixedBytes: number): number {
  const { limitBytes, cacheBytes, queryBytes, compactionBytes, spareBytes } = shares;
  const bytes = limitBytes - fixedBytes - cacheBytes - queryBytes - compactionBytes - spareBytes;
  return Math.min(arenaPagesMax, Math.floor(Math.max(arenaBytesMin, bytes) / pageBytes));
}
