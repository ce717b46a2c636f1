/**
 * How many blocks the data directory holds, how large they are and how far back they reach, from their `meta.json` and
 * file sizes, and how large their symbol tables are. Blocks never change, so each is looked at once; a call costs one
 * listing of the directory.
 */
import { bytesBelow, type Fs, joinPath } from "../../base/fs.ts";
import { PageCache } from "../../base/page-cache.ts";
import { indexFile } from "../../tsdb/block/block.ts";
import { readMeta } from "../../tsdb/block/meta.ts";
import { isUlid } from "../../tsdb/block/ulid.ts";
import { readHeader, sectionAt } from "../../tsdb/index/format.ts";
import type { Stats } from "./stat-families.ts";

interface BlockFacts {
  readonly minTime: number;
  readonly sizeBytes: number;
  readonly symbolBytes: number;
}

export class BlockStatsReader {
  readonly #fs: Fs;
  readonly #dir: string;
  #known = new Map<string, BlockFacts>();

  constructor(fs: Fs, dir: string) {
    this.#fs = fs;
    this.#dir = dir;
  }

  read(): Stats {
    const known = new Map<string, BlockFacts>();
    for (const name of this.#fs.list(this.#dir).filter(isUlid)) {
      const facts = this.#known.get(name) ?? this.#look(joinPath(this.#dir, name));
      if (facts !== undefined) known.set(name, facts);
    }
    this.#known = known;
    const blocks = [...known.values()];
    return {
      blocksLoaded: blocks.length,
      blocksBytes: blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      blocksSymbolBytes: blocks.reduce((sum, { symbolBytes }) => sum + symbolBytes, 0),
      blocksMinTime: blocks.reduce((min, { minTime }) => Math.min(min, minTime), Number.POSITIVE_INFINITY),
    };
  }

  /** undefined where it is no block, or is just being deleted; the threads that read blocks report what is wrong. */
  #look(dir: string): BlockFacts | undefined {
    try {
      return {
        minTime: readMeta(this.#fs, dir).minTime,
        sizeBytes: bytesBelow(this.#fs, dir),
        symbolBytes: symbolBytes(this.#fs, joinPath(dir, indexFile)),
      };
    } catch {
      return undefined;
    }
  }
}

/** 0 where the index cannot be read: that is reported elsewhere. */
function symbolBytes(fs: Fs, path: string): number {
  try {
    const file = new PageCache(1).open(fs, path);
    try {
      return sectionAt(file, readHeader(file).toc.symbols).length;
    } finally {
      file.close();
    }
  } catch {
    return 0;
  }
}
