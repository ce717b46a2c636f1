/**
 * A block: a directory with `meta.json`, `index`, `chunks/` and `tombstones`, which never changes apart from its
 * tombstones (docs/formats/block.md). Its files are opened when the first query needs them and stay open as long as
 * one does: a query goes on undisturbed when the block is deleted meanwhile.
 */
import { type Fs, joinPath } from "../../base/fs.ts";
import type { FileOpener, PageCache } from "../../base/page-cache.ts";
import { ReadAhead } from "../../base/read-ahead.ts";
import type { ChunkSource } from "../chunks/chunk.ts";
import { SegmentReader, segmentPaths } from "../chunks/segment-reader.ts";
import { readHeader, sampling, symbolCount } from "../index/format.ts";
import { IndexReader } from "../index/reader.ts";
import { readTombstones, tombstonesFile } from "../tombstones/file.ts";
import type { Tombstones } from "../tombstones/tombstones.ts";
import { BlockQuerier } from "./block-querier.ts";
import { blockChunkSource } from "./block-source.ts";
import { type BlockMeta, metaFile, readMeta } from "./meta.ts";

export const indexFile = "index";
export const chunksDir = "chunks";

/** The open files of a block. */
export interface BlockReaders {
  readonly index: IndexReader;
  readonly chunks: SegmentReader;
  readonly tombstones: Tombstones;
}

export interface BlockEnv {
  readonly fs: Fs;
  /** This thread's. */
  readonly cache: PageCache;
}

export class Block {
  readonly dir: string;
  readonly meta: BlockMeta;
  /** Of all its files. */
  readonly sizeBytes: number;
  /** As Prometheus counts it in its metrics: eight bytes for every 32nd symbol. */
  readonly symbolTableBytes: number;
  readonly #env: BlockEnv;
  /** meta.json and tombstones, the files that may be replaced, as they were when the block was opened. */
  readonly #replaceable: string;
  #readers: BlockReaders | undefined;
  #users = 0;
  #retired = false;

  private constructor(env: BlockEnv, dir: string, meta: BlockMeta, sizeBytes: number, symbols: number) {
    this.#env = env;
    this.dir = dir;
    this.meta = meta;
    this.sizeBytes = sizeBytes;
    this.symbolTableBytes = 8 * Math.ceil(symbols / sampling);
    this.#replaceable = replaceableFiles(env.fs, dir);
  }

  /**
   * Reads meta.json and checks that the other files are there and begin and end as they should. Keeps no file open.
   * Throws a CorruptionError, or the system's error where a file is missing.
   */
  static open(env: BlockEnv, dir: string): Block {
    const { fs, cache } = env;
    const meta = readMeta(fs, dir);
    const index = cache.open(fs, joinPath(dir, indexFile));
    let symbols: number;
    try {
      symbols = symbolCount(index, readHeader(index).toc);
    } finally {
      index.close();
    }
    SegmentReader.open(fs, cache, joinPath(dir, chunksDir)).close();
    const files = [
      ...[metaFile, indexFile, tombstonesFile].map((name) => joinPath(dir, name)),
      ...segmentPaths(fs, joinPath(dir, chunksDir)),
    ];
    const sizeBytes = files.reduce((sum, path) => sum + (fs.stat(path)?.sizeBytes ?? 0), 0);
    return new Block(env, dir, meta, sizeBytes, symbols);
  }

  /** Its directory's name, normally its ULID. */
  get name(): string {
    return this.dir.slice(this.dir.lastIndexOf("/") + 1);
  }

  /** Whether samples of [mint, maxt], both inclusive, can be in it. Its own range excludes its end. */
  overlaps(mint: number, maxt: number): boolean {
    return this.meta.minTime <= maxt && mint < this.meta.maxTime;
  }

  /** False once its meta.json or tombstones were replaced: it has to be opened anew. */
  get isCurrent(): boolean {
    return replaceableFiles(this.#env.fs, this.dir) === this.#replaceable;
  }

  /** How many use its files now. */
  get users(): number {
    return this.#users;
  }

  get isOpen(): boolean {
    return this.#readers !== undefined;
  }

  /**
   * Its files, open until the same number of {@link Block.release}s. Throws a CorruptionError, or the system's error:
   * ENOENT where the block was deleted meanwhile.
   */
  acquire(): BlockReaders {
    this.#readers ??= this.#open();
    this.#users++;
    return this.#readers;
  }

  release(): void {
    this.#users--;
    if (this.#retired) this.closeIfIdle();
  }

  /** Closes the files where nobody uses them; they are opened again when needed. */
  closeIfIdle(): void {
    if (this.#users > 0) return;
    if (this.#readers !== undefined) closeReaders(this.#readers);
    this.#readers = undefined;
  }

  /** It is no longer part of the database: its files are closed as soon as nobody uses them. */
  retire(): void {
    this.#retired = true;
    this.closeIfIdle();
  }

  /** To be closed after use. Throws as {@link Block.acquire} does. */
  querier(): BlockQuerier {
    return new BlockQuerier(this.acquire(), () => this.release());
  }

  /**
   * What a new block is written from; deleted samples are still in it. Holds the files open until `close`.
   * Throws as {@link Block.acquire} does.
   */
  chunkSource(): ChunkSource & { close(): void } {
    return blockChunkSource(this.acquire(), () => this.release());
  }

  /**
   * Its files for reading all of it once, in the order of the index: chunks are read ahead, past the page cache, and a
   * chunk is valid until the next one. To be closed with {@link closeReaders}. Throws as {@link Block.acquire} does.
   */
  readThrough(): BlockReaders {
    return this.#open(new ReadAhead());
  }

  #open(opener: FileOpener = this.#env.cache): BlockReaders {
    const { fs, cache } = this.#env;
    const versionOverride = this.meta.version === 2 ? 2 : undefined;
    const indexPath = joinPath(this.dir, indexFile);
    const opened: { close(): void }[] = [];
    const keep = <T extends { close(): void }>(file: T): T => {
      opened.push(file);
      return file;
    };
    try {
      const file = keep(cache.open(fs, indexPath));
      const entries = opener === cache ? file : keep(new ReadAhead().open(fs, indexPath));
      const chunks = keep(SegmentReader.open(fs, opener, joinPath(this.dir, chunksDir)));
      const { tombstones } = readTombstones(fs, this.dir);
      return { index: IndexReader.open(file, versionOverride, entries), chunks, tombstones };
    } catch (error) {
      for (const file of opened) file.close();
      throw error;
    }
  }
}

export function closeReaders({ index, chunks }: BlockReaders): void {
  index.close();
  chunks.close();
}

function replaceableFiles(fs: Fs, dir: string): string {
  const stats = [metaFile, tombstonesFile].map((name) => fs.stat(joinPath(dir, name)));
  return stats.map((stat) => (stat === undefined ? "-" : `${stat.mtimeMs}:${stat.sizeBytes}`)).join(" ");
}
