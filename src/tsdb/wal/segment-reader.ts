/**
 * Reads the records of one segment, in order. Checks what Prometheus's reader checks: fragment types and their
 * sequence, lengths, checksums, and that padding is zero; and that nothing crosses a page.
 */
import type { Codecs } from "../../base/codec.ts";
import { crc32c } from "../../base/crc32c.ts";
import { type File, type Fs, readWhole } from "../../base/fs.ts";
import {
  FragmentType,
  fragmentHeaderBytes,
  fragmentTypeMask,
  pageBytes,
  recordBytesMax,
  type Segment,
  snappyBit,
  WalCorruptionError,
  zstdBit,
} from "./segment.ts";

/** Whole pages, so that a fragment always lies in one block. */
const blockPagesMax = 16;

export class SegmentReader {
  readonly segment: Segment;
  /** The current record, decompressed; valid until the next one is asked for. */
  record: Uint8Array = new Uint8Array();
  /** Offsets in the segment: where the current record's first fragment starts, and the end of its last. */
  start = 0;
  end = 0;
  readonly #codecs: Codecs;
  readonly #file: File;
  readonly #block: Uint8Array;
  /** File offset of the block's first byte, and how many bytes it holds. */
  #blockStart = 0;
  #held = 0;
  /** Where the fragment that is being read begins. */
  #fragmentAt = 0;
  /** The fragments of a record that has more than one. */
  #joined = new Uint8Array(pageBytes);

  /** Begins at `offset`, which is the end of a record. */
  constructor(env: { readonly fs: Fs; readonly codecs: Codecs }, segment: Segment, offset = 0) {
    this.segment = segment;
    this.#codecs = env.codecs;
    this.#file = env.fs.open(segment.path, "read");
    const pages = Math.ceil(this.#file.size() / pageBytes);
    this.#block = new Uint8Array(Math.min(Math.max(pages, 1), blockPagesMax) * pageBytes);
    this.end = offset;
    if (offset % pageBytes > 0) this.#fill(offset - (offset % pageBytes));
  }

  /** Steps to the next record; false at the end of the segment. Throws a {@link WalCorruptionError}. */
  next(): boolean {
    let joined = 0;
    let fragments = 0;
    this.start = this.end;
    for (let at = this.end; ; ) {
      if (at >= this.#blockStart + this.#held && !this.#fill(at)) {
        if (fragments > 0) throw this.#corrupt(at, "the segment ends within a record");
        return false;
      }
      this.#fragmentAt = at;
      const block = this.#block;
      const index = at - this.#blockStart;
      const typeByte = block[index];
      const type = typeByte & fragmentTypeMask;
      const pageEnd = index + pageBytes - (at % pageBytes);
      if (type === FragmentType.padding) {
        this.#checkPadding(index, Math.min(pageEnd, this.#held));
        at = this.#blockStart + Math.min(pageEnd, this.#held);
        if (fragments === 0) this.start = at;
        continue;
      }
      const dataStart = index + fragmentHeaderBytes;
      const length = this.#checkFragment(index, type, pageEnd, fragments);
      at += fragmentHeaderBytes + length;
      if (type === FragmentType.full) {
        this.end = at;
        this.record = this.#decompress(typeByte, block.subarray(dataStart, dataStart + length));
        return true;
      }
      this.#join(joined, block.subarray(dataStart, dataStart + length));
      joined += length;
      fragments++;
      if (type === FragmentType.last) {
        this.end = at;
        this.record = this.#decompress(typeByte, this.#joined.subarray(0, joined));
        return true;
      }
    }
  }

  /**
   * After {@link SegmentReader.next} threw, or a record did not decode: goes behind the damage, so that `next` can be
   * called again. False where no record begins there. What follows in the page is reached where the damaged fragment's
   * length still leads to a sound one; else reading goes on at the next page.
   */
  skipDamage(): boolean {
    // The fragments were sound, only what they hold is not.
    if (this.end > this.#fragmentAt) return this.#loadPage(this.end);
    const at = this.#fragmentAt;
    const sound = this.#soundFragment(at);
    // A record of which only the beginning is there ends with the segment; otherwise this is where another one begins.
    if (sound !== undefined) return this.#seekRecord(at > this.start ? at : sound.end);
    const pageEnd = at - (at % pageBytes) + pageBytes;
    if (!this.#loadPage(at)) return this.#seekRecord(pageEnd);
    const isChained = (next: number) => next < pageEnd && this.#soundFragment(next) !== undefined;
    const chained = at + fragmentHeaderBytes + this.#lengthAt(at);
    if (isChained(chained)) return this.#seekRecord(chained);
    const right = this.#endByChecksum(at);
    return this.#seekRecord(right !== undefined && isChained(right) ? right : pageEnd);
  }

  /** Idempotent. */
  close(): void {
    this.#file.close();
  }

  /** An error about the current record, whose fragments were all right: that it does not decode. */
  corruptRecord(problem: string, options?: ErrorOptions): WalCorruptionError {
    return new WalCorruptionError(this.segment, this.start, this.start, problem, options);
  }

  #corrupt(offset: number, problem: string): WalCorruptionError {
    return new WalCorruptionError(this.segment, offset, this.start, problem);
  }

  /** Loads the block at `at`, the start of a page; false at the end of the file. */
  #fill(at: number): boolean {
    // After a short page there is nothing: `at` is then the end of the file, not the start of a page.
    if (at % pageBytes !== 0) return false;
    this.#blockStart = at;
    this.#held = readWhole(this.#file, this.#block, at);
    return this.#held > 0;
  }

  #checkPadding(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (this.#block[i] !== 0)
        throw this.#corrupt(this.#blockStart + i, "a byte in the padding of a page is not 0");
    }
  }

  /** Moves to the first fragment from `at` on that begins a record. */
  #seekRecord(from: number): boolean {
    for (let at = from; this.#loadPage(at); ) {
      const fragment = this.#soundFragment(at);
      if (fragment?.begins) {
        this.start = at;
        this.end = at;
        return true;
      }
      if (fragment === undefined) at += pageBytes - (at % pageBytes);
      else at = fragment.end;
    }
    return false;
  }

  /** Makes the block hold the page that `at` is in; false where the file ends before `at`. */
  #loadPage(at: number): boolean {
    if (at < this.#blockStart || at >= this.#blockStart + this.#held) {
      if (!this.#fill(at - (at % pageBytes))) return false;
    }
    return at < this.#blockStart + this.#held;
  }

  #lengthAt(at: number): number {
    const index = at - this.#blockStart;
    return (this.#block[index + 1] << 8) | this.#block[index + 2];
  }

  /** Where the fragment at `at` ends if only its length is wrong: the shortest for which its checksum is right. */
  #endByChecksum(at: number): number | undefined {
    const block = this.#block;
    const index = at - this.#blockStart;
    const dataStart = index + fragmentHeaderBytes;
    const limit = Math.min(index + pageBytes - (at % pageBytes), this.#held);
    if (dataStart > limit) return undefined;
    const want = new DataView(block.buffer).getUint32(index + 3);
    let crc = 0;
    for (let end = dataStart; end < limit; end++) {
      crc = crc32c(block, end, end + 1, crc);
      if (crc === want) return this.#blockStart + end + 1;
    }
    return undefined;
  }

  /** The fragment at `at`, if there is one whose checksum is right. */
  #soundFragment(at: number): { readonly begins: boolean; readonly end: number } | undefined {
    if (!this.#loadPage(at)) return undefined;
    const index = at - this.#blockStart;
    const limit = Math.min(index + pageBytes - (at % pageBytes), this.#held);
    const dataStart = index + fragmentHeaderBytes;
    if (dataStart > limit) return undefined;
    const type = this.#block[index] & fragmentTypeMask;
    const length = this.#lengthAt(at);
    if (type === FragmentType.padding || type > FragmentType.last || dataStart + length > limit)
      return undefined;
    const want = new DataView(this.#block.buffer).getUint32(index + 3);
    if (crc32c(this.#block, dataStart, dataStart + length) !== want) return undefined;
    const begins = type === FragmentType.full || type === FragmentType.first;
    return { begins, end: at + fragmentHeaderBytes + length };
  }

  /** Checks the fragment at `index` of the block; returns the length of its data. */
  #checkFragment(index: number, type: number, pageEnd: number, fragments: number): number {
    const block = this.#block;
    const at = this.#blockStart + index;
    if (index + fragmentHeaderBytes > Math.min(pageEnd, this.#held)) {
      throw this.#corrupt(at, "the segment ends within a fragment's header");
    }
    const length = (block[index + 1] << 8) | block[index + 2];
    const dataStart = index + fragmentHeaderBytes;
    if (dataStart + length > pageEnd)
      throw this.#corrupt(at, `a fragment of ${length} bytes does not fit its page`);
    if (dataStart + length > this.#held) throw this.#corrupt(at, "the segment ends within a fragment");
    const want =
      ((block[index + 3] << 24) | (block[index + 4] << 16) | (block[index + 5] << 8) | block[index + 6]) >>>
      0;
    const got = crc32c(block, dataStart, dataStart + length);
    if (got !== want) {
      throw this.#corrupt(
        at,
        `a fragment's checksum is ${want.toString(16)}, its bytes give ${got.toString(16)}`,
      );
    }
    const continues = type === FragmentType.middle || type === FragmentType.last;
    if (type > FragmentType.last || continues !== fragments > 0) {
      throw this.#corrupt(at, `a fragment of type ${type} where ${fragments} of a record were read`);
    }
    return length;
  }

  #join(joined: number, data: Uint8Array): void {
    if (joined + data.length > this.#joined.length) {
      const bigger = new Uint8Array((joined + data.length) * 2);
      bigger.set(this.#joined.subarray(0, joined));
      this.#joined = bigger;
    }
    this.#joined.set(data, joined);
  }

  #decompress(typeByte: number, data: Uint8Array): Uint8Array {
    if (data.length === 0 || (typeByte & (snappyBit | zstdBit)) === 0) return data;
    try {
      const codec = (typeByte & snappyBit) !== 0 ? this.#codecs.snappy : this.#codecs.zstd;
      return codec.decompress(data, recordBytesMax);
    } catch (cause) {
      throw this.corruptRecord(`a record cannot be decompressed: ${messageOf(cause)}`, { cause });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
