/**
 * The frame of a snapshot file: docs/formats/head-snapshot.md.
 *
 * file    = magic u32 | version u32 | section* | end section
 * section = kind u32 | payload bytes u32 | CRC-32C of kind, payload bytes and payload u32 | payload
 *
 * Little-endian; every payload is whole words. Nothing follows the end section.
 */
import { crc32c } from "../../base/crc32c.ts";
import { CorruptionError } from "../../base/errors.ts";
import type { File } from "../../base/fs.ts";

/** "NXHS" */
export const snapshotMagic = 0x5348584e;
export const snapshotVersion = 1;

export const SectionKind = {
  position: 1,
  records: 2,
  expiries: 3,
  pairs: 4,
  series: 5,
  end: 6,
  late: 7,
} as const;
export type SectionKind = (typeof SectionKind)[keyof typeof SectionKind];

const fileHeaderBytes = 8;
const sectionHeaderBytes = 12;

export class SectionWriter {
  readonly #file: File;
  readonly #header = new Uint32Array(3);
  sizeBytes = fileHeaderBytes;

  constructor(file: File) {
    this.#file = file;
    file.writeAt(bytesOf(Uint32Array.of(snapshotMagic, snapshotVersion)), 0);
  }

  write(kind: SectionKind, payload: Uint32Array): void {
    const header = this.#header;
    const bytes = bytesOf(payload);
    header[0] = kind;
    header[1] = bytes.length;
    header[2] = crc32c(bytes, 0, bytes.length, crc32c(bytesOf(header), 0, 8));
    this.#file.writeAt(bytesOf(header), this.sizeBytes);
    this.#file.writeAt(bytes, this.sizeBytes + sectionHeaderBytes);
    this.sizeBytes += sectionHeaderBytes + bytes.length;
  }
}

/** The words of a section are valid until the next one is asked for. */
export interface Section {
  readonly kind: number;
  readonly words: Uint32Array;
  /** Where its payload begins in the file, for errors. */
  readonly offset: number;
}

/** The sections in order, the end section too. Throws a CorruptionError at the first that does not check out. */
export function* readSections(file: File): Generator<Section> {
  const sizeBytes = file.size();
  const header = new Uint32Array(3);
  const headerBytes = bytesOf(header);
  let buffer = new Uint32Array(64 * 1024);
  if (file.readAt(headerBytes.subarray(0, fileHeaderBytes), 0) < fileHeaderBytes) {
    throw new CorruptionError(file.path, 0, `a file of ${sizeBytes} bytes has no room for its header`);
  }
  if (header[0] !== snapshotMagic) {
    throw new CorruptionError(
      file.path,
      0,
      `the magic number is ${header[0].toString(16)}, ${snapshotMagic.toString(16)} expected`,
    );
  }
  if (header[1] !== snapshotVersion) {
    throw new CorruptionError(file.path, 4, `format version ${header[1]}, only ${snapshotVersion} is known`);
  }
  for (let at = fileHeaderBytes; ; ) {
    if (file.readAt(headerBytes, at) < sectionHeaderBytes)
      throw new CorruptionError(file.path, at, "the file ends before its end section");
    const [kind, length, checksum] = header;
    const offset = at + sectionHeaderBytes;
    if (length % 4 !== 0 || length > sizeBytes - offset) {
      throw new CorruptionError(
        file.path,
        at,
        `a section of ${length} bytes where ${sizeBytes - offset} are left`,
      );
    }
    if (length > buffer.byteLength) buffer = new Uint32Array(length / 2);
    const words = buffer.subarray(0, length / 4);
    const bytes = bytesOf(words);
    file.readAt(bytes, offset);
    const got = crc32c(bytes, 0, length, crc32c(headerBytes, 0, 8));
    if (got !== checksum) {
      throw new CorruptionError(
        file.path,
        at,
        `a section's checksum is ${checksum.toString(16)}, its bytes give ${got.toString(16)}`,
      );
    }
    at = offset + length;
    if (kind === SectionKind.end && at !== sizeBytes)
      throw new CorruptionError(file.path, at, `${sizeBytes - at} bytes follow the end section`);
    yield { kind, words, offset };
    if (kind === SectionKind.end) return;
  }
}

/** The same memory as bytes. The machine is little-endian: Node runs on no other. */
export function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** Whole words that hold `bytes`, filled up with `filler`. */
export function wordsOf(bytes: Uint8Array, filler = 0): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  const all = bytesOf(words).fill(filler);
  all.set(bytes);
  return words;
}
