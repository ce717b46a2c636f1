/**
 * The storage as a reading thread sees it: the blocks of the data directory, and the shared head once there is one.
 * Built in every query thread and in the compaction thread.
 */
import { type Logger, silentLogger } from "../base/env.ts";
import { QueryError } from "../base/errors.ts";
import { joinPath } from "../base/fs.ts";
import { PageCache } from "../base/page-cache.ts";
import { nodeFs } from "../node/fs.ts";
import { mergeQueriers } from "../storage/merge.ts";
import type { Querier, Queryable } from "../storage/querier.ts";
import { BlockSet } from "../tsdb/block/block-set.ts";
import { HeadChunkReader } from "../tsdb/chunks/head-chunk-reader.ts";
import { headChunksDir } from "../tsdb/db.ts";
import { HeadReader } from "../tsdb/head/head-reader.ts";
import { type HeadHandle, HeadMemory } from "../tsdb/head/memory.ts";
import { type Control, queryThreadsMax } from "./control.ts";

/** The names of the reading threads in the head's reader slots. */
export const queryOwner = (thread: number) => 1 + thread;
export const compactionOwner = 1 + queryThreadsMax;
export const writerOwner = 2 + queryThreadsMax;

/** In rushed mode the cache has this part of its size. */
const rushedCacheShare = 0.25;

export class ThreadStorage implements Queryable {
  readonly blocks: BlockSet;
  readonly #control: Control;
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #cacheBytes: number;
  readonly #cache: PageCache;
  readonly owner: number;
  #memory: HeadMemory | undefined;
  #head: HeadReader | undefined;
  #chunks: HeadChunkReader | undefined;
  #blocksVersion: number;

  /** `owner` names this thread in the head's reader slots; `cacheBytes` is what it may keep of files. */
  constructor(dir: string, control: Control, owner: number, logger: Logger, cacheBytes: number) {
    this.#dir = dir;
    this.#cacheBytes = cacheBytes;
    this.#cache = new PageCache(cacheBytes);
    this.#control = control;
    this.owner = owner;
    this.#logger = logger;
    this.#blocksVersion = control.blocksVersion;
    // All threads see the same blocks: it is enough that one of them says which cannot be read.
    const reports = owner === compactionOwner ? logger : silentLogger;
    this.blocks = BlockSet.open({ fs: nodeFs, cache: this.#cache, logger: reports }, dir);
  }

  /** Reads this head from now on. */
  attach(handle: HeadHandle): void {
    this.#chunks?.close();
    this.#chunks = new HeadChunkReader(
      { fs: nodeFs, cache: this.#cache },
      joinPath(this.#dir, headChunksDir),
    );
    this.#memory = HeadMemory.attach(handle);
    this.#head = new HeadReader(this.#memory, this.#chunks, this.owner);
    this.reloadBlocks();
  }

  /** Throws an "unavailable" QueryError while there is none. */
  get head(): HeadReader {
    if (this.#head === undefined) throw notReady();
    return this.#head;
  }

  /** As {@link ThreadStorage.head}. */
  get headChunks(): HeadChunkReader {
    if (this.#chunks === undefined) throw notReady();
    return this.#chunks;
  }

  /** As {@link ThreadStorage.head}. */
  get headMemory(): HeadMemory {
    if (this.#memory === undefined) throw notReady();
    return this.#memory;
  }

  /**
   * The head is opened first: what moves from it into a block while we look is then seen twice at worst, and merged.
   */
  querier(mint: number, maxt: number): Querier {
    this.fitCache();
    const head = this.#headQuerier(mint, maxt);
    try {
      if (this.#control.blocksVersion !== this.#blocksVersion) this.reloadBlocks();
      const blocks = this.blocks.queriers(mint, maxt);
      return mergeQueriers(head === undefined ? blocks : [...blocks, head]);
    } catch (error) {
      head?.close();
      throw error;
    }
  }

  get cacheUsedBytes(): number {
    return this.#cache.usedBytes;
  }

  /** Gives the cache the size that it may have now, and tells how much it holds. */
  fitCache(): void {
    const { memory } = this.#control;
    this.#cache.shrinkTo(Math.floor(this.#cacheBytes * (memory.rushed ? rushedCacheShare : 1)));
    memory.reportCache(this.owner - 1, this.#cache.usedBytes);
  }

  /** Takes notice of blocks that came and went. */
  reloadBlocks(): void {
    this.#blocksVersion = this.#control.blocksVersion;
    const { added, removed } = this.blocks.reload();
    if (added.length + removed.length > 0)
      this.#logger.debug("The set of blocks changed", { added, removed });
  }

  #headQuerier(mint: number, maxt: number): Querier | undefined {
    if (this.#head !== undefined && this.#control.headReady) return this.#head.querier(mint, maxt);
    if (maxt >= this.#control.headFromMs) throw notReady();
    return undefined;
  }
}

function notReady(): QueryError {
  return new QueryError(
    "unavailable",
    "the write-ahead log is still being replayed: ask again when /-/ready answers 200",
  );
}
