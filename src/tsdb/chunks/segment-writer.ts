/**
 * Writes the chunk segment files of a new block (segments.ts has the format). All files are durable after
 * {@link SegmentWriter.finish}; their names are after the caller has synced the directory.
 */
import { assert } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { FileWriter } from "../../base/file-writer.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import {
  chunkRef,
  chunksMagic,
  chunksVersion,
  defaultSegmentBytes,
  entryOverheadBytes,
  segmentHeaderBytes,
  segmentName,
} from "./segments.ts";

export class SegmentWriter {
  readonly #fs: Fs;
  readonly #dir: string;
  readonly #segmentBytesMax: number;
  readonly #entry = new ByteWriter(2048);
  #current: FileWriter | undefined;
  #segments = 0;

  /** `dir` must exist and be empty. */
  constructor(fs: Fs, dir: string, segmentBytesMax = defaultSegmentBytes) {
    this.#fs = fs;
    this.#dir = dir;
    this.#segmentBytesMax = segmentBytesMax;
  }

  /** Appends the chunk and returns its ref. A segment holds at least one chunk, however long that is. */
  write(encoding: number, data: Uint8Array): number {
    const file = this.#fileFor(data.length + entryOverheadBytes);
    const offset = file.position;
    const entry = this.#entry;
    entry.clear();
    entry.uvarint(data.length);
    const start = entry.length;
    entry.u8(encoding);
    entry.raw(data);
    entry.u32(crc32c(entry.bytes(), start, entry.length));
    file.write(entry.bytes());
    return chunkRef(this.#segments - 1, offset);
  }

  /** As {@link SegmentWriter.write}, with an entry of another segment file. */
  copy(entry: Uint8Array): number {
    const file = this.#fileFor(entry.length);
    const offset = file.position;
    file.write(entry);
    return chunkRef(this.#segments - 1, offset);
  }

  /** Makes the last segment durable and closes it. */
  finish(): void {
    this.#current?.finish();
    this.#current = undefined;
  }

  /** Gives up: closes what is open, leaves the files. */
  abandon(): void {
    this.#current?.abandon();
    this.#current = undefined;
  }

  #fileFor(entryBytes: number): FileWriter {
    let file = this.#current;
    if (file === undefined) file = this.#cut();
    else if (file.position > segmentHeaderBytes && file.position + entryBytes > this.#segmentBytesMax) {
      file.finish();
      file = this.#cut();
    }
    assert(file.position < 0x100000000, "a chunk's offset in its segment fits into 32 bits");
    return file;
  }

  #cut(): FileWriter {
    this.#segments++;
    const file = new FileWriter(this.#fs.open(joinPath(this.#dir, segmentName(this.#segments)), "create"));
    this.#current = file;
    this.#entry.clear();
    this.#entry.u32(chunksMagic);
    this.#entry.u8(chunksVersion);
    this.#entry.zeros(3);
    file.write(this.#entry.bytes());
    return file;
  }
}
