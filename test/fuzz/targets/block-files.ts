/** A small block as files by name, in either version of the index; and how to put the checksums of its files right. */
import { ByteReader, ByteWriter } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { encodeToc } from "../../../src/tsdb/index/format.ts";
import { encodeTombstones } from "../../../src/tsdb/tombstones/file.ts";
import { Tombstones } from "../../../src/tsdb/tombstones/tombstones.ts";
import { blockDir } from "../../tsdb/block-dir.ts";
import { chunkSource, type TestSeries } from "../../tsdb/chunk-series.ts";

export const blockPath = "data/01BKGV7JC0RY8A6MACW02A2PJD";
const start = 1_700_000_000_000 - (1_700_000_000_000 % 7_200_000);
const samplesPerChunk = 20;

export type BlockFiles = Readonly<Record<"meta.json" | "index" | "chunks/000001" | "tombstones", Uint8Array>>;

const testSeries: readonly TestSeries[] = Array.from({ length: 40 }, (_, i) => ({
  // More values than the reader remembers of a label.
  labels: {
    __name__: i % 2 === 0 ? "a_total" : "b",
    instance: `host:${i}`,
    ...(i % 5 === 0 ? { zone: "ä" } : {}),
  },
  samples: Array.from(
    { length: 1 + (i % 50) },
    (_, k) => [start + k * 15_000, k % 7 === 0 ? i : Math.sin(k)] as const,
  ),
}));

/** A block as we write it. */
export function smallBlock(): BlockFiles {
  const fs = new MemFs();
  const { ulid } = blockDir(fs).write(chunkSource(testSeries, samplesPerChunk), start, start + 7_199_999);
  const file = (name: string) => fs.readFile(`data/${ulid}/${name}`);
  const tombstones = new Tombstones();
  tombstones.add(17, { mint: start + 15_000, maxt: start + 30_000 });
  tombstones.add(33, { mint: -(2 ** 63), maxt: 2 ** 63 });
  return {
    "meta.json": file("meta.json"),
    index: file("index"),
    "chunks/000001": file("chunks/000001"),
    tombstones: encodeTombstones(tombstones).slice(),
  };
}

export function writeFiles(files: BlockFiles): MemFs {
  const fs = new MemFs();
  fs.makeDir(`${blockPath}/chunks`);
  for (const [name, bytes] of Object.entries(files))
    fs.open(`${blockPath}/${name}`, "create").writeAt(bytes, 0);
  return fs;
}

/** `content` as a section: its length, itself, its checksum. Returns where the section begins. */
function section(out: ByteWriter, content: ByteWriter): number {
  const at = out.length;
  out.u32(content.length);
  out.raw(content.bytes());
  out.u32(crc32c(content.bytes()));
  return at;
}

/** An index of version 1: refs of symbols and series are offsets, tables are in no order. Chunks are at `chunkRefs`. */
export function indexV1(names: readonly string[], chunkRefs: readonly number[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(0xbaaad700);
  out.u8(1);
  const symbols = new ByteWriter();
  const places = new Map<string, number>();
  symbols.u32(names.length + 1);
  for (const text of ["__name__", ...names]) {
    places.set(text, out.length + 4 + symbols.length);
    symbols.string(text);
  }
  const toc = { symbols: section(out, symbols), labelIndices: 0, labelIndexTable: 0 };
  const series = out.length;
  const refs = names.map((name, i) => {
    const at = out.length;
    const entry = new ByteWriter();
    for (const number of [1, places.get("__name__") as number, places.get(name) as number, 1])
      entry.uvarint(number);
    entry.varint(start);
    entry.uvarint(samplesPerChunk * 15_000);
    entry.uvarint(chunkRefs[i % chunkRefs.length]);
    out.uvarint(entry.length);
    out.raw(entry.bytes());
    out.u32(crc32c(entry.bytes()));
    return at;
  });
  const postings = out.length;
  const list = (...of: readonly number[]) => {
    const content = new ByteWriter();
    content.u32(of.length);
    for (const ref of of) content.u32(ref);
    return section(out, content);
  };
  const lists: [string, string, number][] = [["", "", list(...refs)]];
  for (const [i, name] of names.entries()) lists.push(["__name__", name, list(refs[i])]);
  const table = new ByteWriter();
  table.u32(lists.length);
  for (const [name, value, offset] of lists.reverse()) {
    table.uvarint(2);
    table.string(name);
    table.string(value);
    table.uvarint(offset);
  }
  const postingsTable = section(out, table);
  out.raw(encodeToc({ ...toc, series, postings, postingsTable }));
  return out.bytes().slice();
}

/** The places of the chunks in a segment file, as refs. */
export function chunkRefsOf(segment: Uint8Array): number[] {
  const refs: number[] = [];
  const reader = new ByteReader(segment);
  reader.skip(8);
  while (reader.remaining > 0) {
    refs.push(reader.position);
    reader.skip(reader.uvarint() + 5);
  }
  return refs;
}

const tocBytes = 52;

function setU32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);
}

/** Gives the content [from, to) its checksum; false where it does not fit the file. */
function sealRange(bytes: Uint8Array, from: number, to: number): boolean {
  if (!(from >= 0 && to >= from && to + 4 <= bytes.length)) return false;
  setU32(bytes, to, crc32c(bytes, from, to));
  return true;
}

/** Puts the checksums of an index right, as far as its table of contents leads to them. */
export function sealIndex(bytes: Uint8Array): Uint8Array {
  const tocStart = bytes.length - tocBytes;
  if (tocStart < 5) return bytes;
  setU32(bytes, bytes.length - 4, crc32c(bytes, tocStart, bytes.length - 4));
  const reader = new ByteReader(bytes, "", 0, tocStart);
  const [symbols, series, labelIndices, , postings, table] = Array.from({ length: 6 }, () => reader.u64());
  for (const at of [symbols, table]) sealSection(bytes, at);
  sealSeries(bytes, series, labelIndices > series ? labelIndices : postings, bytes[4] === 1 ? 1 : 16);
  for (let at = postings; at < table && at < bytes.length; ) {
    const length = sealSection(bytes, at);
    if (length < 0) break;
    at += length;
    if (bytes[4] !== 1) at = Math.ceil(at / 4) * 4;
  }
  return bytes;
}

/** Returns the section's length with its own and its checksum, -1 where there is none. */
function sealSection(bytes: Uint8Array, at: number): number {
  if (!(at >= 0 && at + 8 <= bytes.length)) return -1;
  const length = new ByteReader(bytes, "", 0, at).u32();
  return sealRange(bytes, at + 4, at + 4 + length) ? length + 8 : -1;
}

function sealSeries(bytes: Uint8Array, from: number, to: number, alignment: number): void {
  for (let at = from; at >= 0 && at < Math.min(to, bytes.length); ) {
    at = Math.ceil(at / alignment) * alignment;
    const reader = new ByteReader(bytes, "", 0, Math.min(at, bytes.length), bytes.length);
    if (reader.remaining < 10) return;
    const length = safeLength(reader);
    const start = reader.position;
    if (!sealRange(bytes, start, start + length)) return;
    at = start + length + 4;
  }
}

/** A varint, or nonsense where it is none. */
function safeLength(reader: ByteReader): number {
  try {
    return reader.uvarint();
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Puts the checksums of a chunk segment file right. */
export function sealChunks(bytes: Uint8Array): Uint8Array {
  for (let at = 8; at < bytes.length; ) {
    const reader = new ByteReader(bytes, "", 0, at);
    const length = safeLength(reader) + 1;
    const start = reader.position;
    if (!sealRange(bytes, start, start + length)) break;
    at = start + length + 4;
  }
  return bytes;
}

export function sealTombstones(bytes: Uint8Array): Uint8Array {
  sealRange(bytes, 5, bytes.length - 4);
  return bytes;
}
