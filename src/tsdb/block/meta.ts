/**
 * `meta.json` of a block (docs/formats/block.md): its name, range, statistics and descent. Written last, so a
 * directory without it is no block.
 */
import { decodeUtf8, encodeUtf8 } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { isUlid } from "./ulid.ts";

export const metaFile = "meta.json";

export interface BlockStats {
  readonly numSamples: number;
  readonly numFloatSamples: number;
  readonly numHistogramSamples: number;
  readonly numSeries: number;
  readonly numChunks: number;
  readonly numTombstones: number;
}

export interface BlockDescription {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
}

export interface BlockCompaction {
  /** 1 for a block cut from the head. */
  readonly level: number;
  /** The head blocks that went into it. */
  readonly sources: readonly string[];
  /** Nothing is left in it: it may go. */
  readonly deletable: boolean;
  /** The blocks that it was made of: they may go once it is there. */
  readonly parents: readonly BlockDescription[];
  readonly failed: boolean;
  /** For example "from-out-of-order". */
  readonly hints: readonly string[];
}

export interface BlockMeta extends BlockDescription {
  /** Milliseconds; samples lie in [minTime, maxTime). */
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: BlockStats;
  readonly compaction: BlockCompaction;
  /**
   * 1. Prometheus 2.1 wrote 2 where the index had version 2 but its header said 1: such a block is read, with that
   * correction.
   */
  readonly version: number;
}

/** As Prometheus prints it: the same order, tabs, no empty fields, no newline at the end. */
export function encodeMeta(meta: BlockMeta): Uint8Array {
  return encodeUtf8(JSON.stringify(metaJson(meta), undefined, "\t"));
}

/** What JSON makes Prometheus's text of: empty fields are undefined. */
export function metaJson(meta: BlockMeta): object {
  const { stats, compaction } = meta;
  const description = ({ ulid, minTime, maxTime }: BlockDescription) => ({ ulid, minTime, maxTime });
  return {
    ...description(meta),
    stats: {
      numSamples: stats.numSamples || undefined,
      numFloatSamples: stats.numFloatSamples || undefined,
      numHistogramSamples: stats.numHistogramSamples || undefined,
      numSeries: stats.numSeries || undefined,
      numChunks: stats.numChunks || undefined,
      numTombstones: stats.numTombstones || undefined,
    },
    compaction: {
      level: compaction.level,
      sources: unlessEmpty(compaction.sources),
      deletable: compaction.deletable || undefined,
      parents: unlessEmpty(compaction.parents.map(description)),
      failed: compaction.failed || undefined,
      hints: unlessEmpty(compaction.hints),
    },
    version: 1,
  };
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Throws a CorruptionError; `path` is for its message. */
export function decodeMeta(bytes: Uint8Array, path: string): BlockMeta {
  let json: unknown;
  try {
    json = JSON.parse(decodeUtf8(bytes));
  } catch (cause) {
    throw new CorruptionError(path, 0, `not JSON: ${(cause as Error).message}`, { cause });
  }
  const fields = new Fields(json, path);
  const version = fields.integer("version");
  if (version !== 1 && version !== 2) {
    throw new CorruptionError(path, 0, `meta.json version ${version}, only version 1 is known`);
  }
  const stats = fields.object("stats");
  const compaction = fields.object("compaction");
  return {
    ...describe(fields),
    stats: {
      numSamples: stats.integer("numSamples"),
      numFloatSamples: stats.integer("numFloatSamples"),
      numHistogramSamples: stats.integer("numHistogramSamples"),
      numSeries: stats.integer("numSeries"),
      numChunks: stats.integer("numChunks"),
      numTombstones: stats.integer("numTombstones"),
    },
    compaction: {
      level: compaction.integer("level"),
      sources: compaction.strings("sources"),
      deletable: compaction.flag("deletable"),
      parents: compaction.objects("parents").map(describe),
      failed: compaction.flag("failed"),
      hints: compaction.strings("hints"),
    },
    version,
  };
}

function describe(fields: Fields): BlockDescription {
  return {
    ulid: fields.ulid("ulid"),
    minTime: fields.integer("minTime"),
    maxTime: fields.integer("maxTime"),
  };
}

/** An object of parsed JSON, read field by field; missing fields are zero, false, "" or empty, as in Go. */
class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new CorruptionError(path, 0, `${JSON.stringify(value)} where an object should be`);
    }
    this.#value = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  integer(name: string): number {
    const value = this.#value[name] ?? 0;
    if (typeof value !== "number" || !Number.isInteger(value)) throw this.#wrong(name, "an integer");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#value[name] ?? false;
    if (typeof value !== "boolean") throw this.#wrong(name, "true or false");
    return value;
  }

  ulid(name: string): string {
    const value = this.#value[name];
    if (typeof value !== "string" || !isUlid(value)) throw this.#wrong(name, "a ULID");
    return value;
  }

  strings(name: string): string[] {
    return this.#list(name).map((value) => {
      if (typeof value !== "string") throw this.#wrong(name, "a list of strings");
      return value;
    });
  }

  object(name: string): Fields {
    return new Fields(this.#value[name] ?? {}, this.#path);
  }

  objects(name: string): Fields[] {
    return this.#list(name).map((value) => new Fields(value, this.#path));
  }

  #list(name: string): unknown[] {
    const value = this.#value[name] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name, "a list");
    return value;
  }

  #wrong(name: string, wanted: string): CorruptionError {
    const found = JSON.stringify(this.#value[name]);
    return new CorruptionError(this.#path, 0, `"${name}" is ${found}, which is not ${wanted}`);
  }
}

/** Of the block in `dir`. */
export function readMeta(fs: Fs, dir: string): BlockMeta {
  const path = joinPath(dir, metaFile);
  return decodeMeta(fs.readFile(path), path);
}
