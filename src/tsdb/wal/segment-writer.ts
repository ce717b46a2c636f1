/**
 * Writes records into segments: the WAL's and those of a checkpoint. One write call per batch of records, and a batch
 * never spans two segments, so that a failed write can be taken back: the segment is cut to where it was before.
 *
 * A segment is cut before a batch that would grow it past its size; a batch that is longer than that by itself gets a
 * segment of its own length.
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { Codecs } from "../../base/codec.ts";
import { crc32c } from "../../base/crc32c.ts";
import type { File, Fs } from "../../base/fs.ts";
import {
  type Compression,
  FragmentType,
  fragmentHeaderBytes,
  pageBytes,
  segmentPath,
  snappyBit,
  zstdBit,
} from "./segment.ts";

const compressionBits: Record<Compression, number> = { none: 0, snappy: snappyBit, zstd: zstdBit };

export interface SegmentWriterOptions {
  readonly compression: Compression;
  /** A multiple of the page size. */
  readonly segmentBytes: number;
  /** Called with each segment that is complete, before it is closed. */
  readonly finish: (file: File) => void;
  /** Called with the number of each segment that was begun. */
  readonly begun?: (index: number) => void;
  /** Makes the current segment durable. Default: its sync. */
  readonly sync?: (file: File) => void;
}

interface EncodedRecord {
  readonly data: Uint8Array;
  readonly bits: number;
}

/** Counters over the writer's life; names follow the metrics that they become. */
export class SegmentWriterStats {
  /** Pages that a write touched. */
  pageFlushes = 0;
  pageCompletions = 0;
  recordParts = 0;
  /** With headers. */
  recordPartsBytes = 0;
  /** What compression saved. */
  savedBytes = 0;
  writesFailed = 0;
}

export class SegmentWriter {
  readonly stats = new SegmentWriterStats();
  readonly #fs: Fs;
  readonly #codecs: Codecs;
  readonly #dir: string;
  readonly #options: SegmentWriterOptions;
  readonly #buffer = new ByteWriter(pageBytes * 4);
  #file: File;
  #index: number;
  /** Bytes of the segment that are written and count. */
  #written = 0;
  /** The file may hold more than `#written`, from a failed write that could not be taken back. */
  #isDirty = false;
  /** The next segment's file may be there, empty, from a cut that failed. */
  #leftNext = false;
  #isClosed = false;

  private constructor(
    env: { readonly fs: Fs; readonly codecs: Codecs },
    dir: string,
    index: number,
    options: SegmentWriterOptions,
  ) {
    this.#fs = env.fs;
    this.#codecs = env.codecs;
    this.#dir = dir;
    this.#options = options;
    this.#index = index;
    this.#file = this.#create(index);
    options.begun?.(index);
  }

  /** Creates segment `index` in `dir`, which must exist; nothing with that name or a higher one may be there. */
  static create(
    env: { readonly fs: Fs; readonly codecs: Codecs },
    dir: string,
    index: number,
    options: SegmentWriterOptions,
  ): SegmentWriter {
    if (options.segmentBytes < pageBytes || options.segmentBytes % pageBytes !== 0) {
      throw new RangeError(`segment size ${options.segmentBytes} is not a multiple of ${pageBytes}`);
    }
    return new SegmentWriter(env, dir, index, options);
  }

  /** The segment that is written to. */
  get index(): number {
    return this.#index;
  }

  get path(): string {
    return this.#file.path;
  }

  /** How far it is filled. */
  get offset(): number {
    return this.#written;
  }

  /**
   * Writes the records as one unit. If it throws, none of them is there. With `durable` they are on the disk when it
   * returns.
   */
  write(records: readonly Uint8Array[], durable: boolean): void {
    try {
      if (this.#isDirty) this.#takeBack();
      const encoded = records.map((record) => this.#encode(record));
      let parts = this.#frame(encoded);
      if (this.#written + this.#buffer.length > this.#options.segmentBytes && this.#written > 0) {
        this.cut();
        parts = this.#frame(encoded);
      }
      this.#writeBuffer(durable);
      this.stats.recordParts += parts;
      for (let i = 0; i < records.length; i++) {
        this.stats.recordPartsBytes += encoded[i].data.length;
        this.stats.savedBytes += records[i].length - encoded[i].data.length;
      }
      this.stats.recordPartsBytes += parts * fragmentHeaderBytes;
    } catch (error) {
      this.stats.writesFailed++;
      throw error;
    }
  }

  /** Begins the next segment, unless nothing is in the current one yet; returns its number. */
  cut(): number {
    if (this.#written === 0) return this.#index;
    if (this.#isDirty) this.#takeBack();
    this.#pad();
    const next = this.#create(this.#index + 1);
    const full = this.#file;
    this.#file = next;
    this.#index++;
    this.#written = 0;
    this.#isDirty = false;
    this.#options.begun?.(this.#index);
    try {
      this.#options.finish(full);
    } finally {
      full.close();
    }
    return this.#index;
  }

  /** Makes durable what was written to the current segment. */
  sync(): void {
    const { sync } = this.#options;
    if (sync === undefined) this.#file.sync();
    else sync(this.#file);
  }

  /** Fills the last page, as Prometheus does, and finishes the segment. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#isDirty) this.#takeBack();
      this.#pad();
      this.#options.finish(this.#file);
    } finally {
      this.#file.close();
    }
  }

  #create(index: number): File {
    const file = this.#fs.open(segmentPath(this.#dir, index), this.#leftNext ? "replace" : "create");
    this.#leftNext = true;
    try {
      this.#fs.syncDir(this.#dir);
    } catch (error) {
      file.close();
      this.#fs.removeFile(file.path);
      this.#leftNext = false;
      throw error;
    }
    this.#leftNext = false;
    return file;
  }

  #pad(): void {
    const inPage = this.#written % pageBytes;
    if (inPage === 0) return;
    const padding = new Uint8Array(pageBytes - inPage);
    this.#file.writeAt(padding, this.#written);
    this.#count(padding.length);
  }

  #count(bytes: number): void {
    const start = this.#written;
    this.#written += bytes;
    this.stats.pageFlushes += Math.ceil(this.#written / pageBytes) - Math.floor(start / pageBytes);
    this.stats.pageCompletions += Math.floor(this.#written / pageBytes) - Math.floor(start / pageBytes);
  }

  #writeBuffer(durable: boolean): void {
    try {
      this.#file.writeAt(this.#buffer.bytes(), this.#written);
      if (durable) this.sync();
    } catch (error) {
      this.#isDirty = true;
      this.#tryTakeBack();
      throw error;
    }
    this.#count(this.#buffer.length);
  }

  #takeBack(): void {
    this.#file.truncate(this.#written);
    this.#isDirty = false;
  }

  #tryTakeBack(): void {
    try {
      this.#takeBack();
    } catch {
      // The disk is in trouble, and the error that says so is on its way. The next write tries again first.
    }
  }

  /** Compresses where that makes a record smaller. */
  #encode(record: Uint8Array): EncodedRecord {
    const { compression } = this.#options;
    if (compression === "none" || record.length === 0) return { data: record, bits: 0 };
    const data = this.#codecs[compression].compress(record);
    return data.length < record.length
      ? { data, bits: compressionBits[compression] }
      : { data: record, bits: 0 };
  }

  /** Puts the records into the buffer as they will stand in the file from `#written` on; returns the fragments' count. */
  #frame(records: readonly EncodedRecord[]): number {
    this.#buffer.clear();
    let parts = 0;
    for (const { data, bits } of records) parts += this.#frameRecord(data, bits);
    return parts;
  }

  /** Like Prometheus: a page too full for another header is filled with zeros at once, one with 7 bytes left is not. */
  #frameRecord(data: Uint8Array, bits: number): number {
    const buffer = this.#buffer;
    let at = 0;
    let part = 0;
    for (; part === 0 || at < data.length; part++) {
      const left = pageBytes - ((this.#written + buffer.length) % pageBytes);
      const length = Math.min(data.length - at, left - fragmentHeaderBytes);
      const isLast = at + length === data.length;
      let type: number = isLast ? FragmentType.last : FragmentType.middle;
      if (part === 0) type = isLast ? FragmentType.full : FragmentType.first;
      buffer.u8(type | bits);
      buffer.u16(length);
      buffer.u32(crc32c(data, at, at + length));
      buffer.raw(data.subarray(at, at + length));
      at += length;
      const rest = left - fragmentHeaderBytes - length;
      if (rest < fragmentHeaderBytes) buffer.zeros(rest);
    }
    return part;
  }
}
