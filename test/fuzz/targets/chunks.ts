/** XOR chunks, and the files of chunks_head with what is done about damage. */
import { readFileSync } from "node:fs";
import { crc32c } from "../../../src/base/crc32c.ts";
import { silentLogger } from "../../../src/base/env.ts";
import { PageCache } from "../../../src/base/page-cache.ts";
import { sampleCount } from "../../../src/chunkenc/encoding.ts";
import { decodeXor, XorAppender } from "../../../src/chunkenc/xor.ts";
import { SampleColumns } from "../../../src/storage/sample-columns.ts";
import { MemFs } from "../../../src/testkit/mem-fs.ts";
import { HeadChunkReader } from "../../../src/tsdb/chunks/head-chunk-reader.ts";
import { scanHeadChunks } from "../../../src/tsdb/chunks/head-chunk-scan.ts";
import { HeadChunkWriter } from "../../../src/tsdb/chunks/head-chunk-writer.ts";
import {
  entryChecksumBytes,
  entryFixedBytes,
  headChunkHeaderBytes,
  newEntryHead,
  parseEntryHead,
} from "../../../src/tsdb/chunks/head-chunks.ts";
import { xorChunks } from "../../tsdb/chunk-series.ts";
import { sharedFiles } from "../shared-seeds.ts";
import { check, type FuzzTarget, isExpected } from "../target.ts";

const start = 1_700_000_000_123;
const stale = 0x7ff0000000000002n;

/** Chunks with every kind of difference. */
export function seedChunks(): Uint8Array[] {
  const steps = [15_000, 15_000, 15_001, 14_990, 23_191, 65_536, 80_537, 539_289, 2 ** 40, 1];
  let t = start;
  const odd = steps.map(
    (step, i) => [(t += step), [1, 1, 1.5, 1e300, -0, stale, NaN, 5e-324, 0.1, 0.2][i]] as const,
  );
  const regular = Array.from(
    { length: 120 },
    (_, i) => [start + i * 15_000, i % 3 === 0 ? 7 : Math.sin(i)] as const,
  );
  const counter = Array.from({ length: 60 }, (_, i) => [start + i * 15_000, 1000 + i] as const);
  return [odd, regular, counter, [[-start, 5]] as const].map((samples) =>
    xorChunks(samples)[0].bytes.slice(),
  );
}

/** The times and bits in the columns, in chunk `from` on. */
function samplesOf({ t, v, n }: SampleColumns): string {
  const bits = new BigUint64Array(v.buffer, v.byteOffset, v.length);
  let text = "";
  for (let i = 0; i < n; i++) text += `${t[i]}:${bits[i]} `;
  return text;
}

/** What decodes is the same when it is encoded again, and parts of it are parts of the whole. */
function decodeTwice(bytes: Uint8Array): boolean {
  const whole = new SampleColumns(1);
  const count = decodeXor(bytes, 0, bytes.length, whole, -Infinity, Infinity);
  check(count === whole.n && count === sampleCount(bytes), `${count} samples were decoded`);
  const appender = new XorAppender();
  for (let i = 0; i < count; i++) {
    check(Number.isSafeInteger(whole.t[i]) || Math.abs(whole.t[i]) === 2 ** 53, `the time ${whole.t[i]}`);
    check(i === 0 || whole.t[i] > whole.t[i - 1], "times do not increase");
    appender.append(whole.t[i], whole.v, i);
  }
  const again = new SampleColumns(1);
  decodeXor(appender.bytes(), 0, appender.length, again, -Infinity, Infinity);
  check(samplesOf(again) === samplesOf(whole), "samples change when they are encoded");
  if (count > 2) {
    const middle = new SampleColumns(1);
    const [from, to] = [whole.t[1], whole.t[count - 2]];
    decodeXor(bytes, 0, bytes.length, middle, from, to);
    check(
      middle.n === count - 2 && middle.t[0] === from,
      `${middle.n} of ${count} samples within the outer two`,
    );
  }
  return count > 0;
}

const dir = "data/chunks_head";
const quarantine = "data/quarantine";

export function headChunkFile(): Uint8Array {
  const fs = new MemFs();
  fs.makeDir("data");
  const writer = HeadChunkWriter.open({ fs }, dir);
  for (const [i, bytes] of seedChunks().slice(0, 3).entries()) {
    for (const walRef of [7, 300]) {
      const mint = start + i * 10 ** 9;
      writer.append(walRef, mint, mint + 120 * 15_000, 1, bytes);
    }
  }
  writer.close();
  return fs.readFile(`${dir}/000001`);
}

/** Gives every entry its checksum, as far as they can be followed. */
export function sealHeadChunks(bytes: Uint8Array): Uint8Array {
  const head = newEntryHead();
  for (let at = headChunkHeaderBytes; at + entryFixedBytes < bytes.length; ) {
    try {
      parseEntryHead(bytes, at, head, "", at);
    } catch {
      break;
    }
    const end = at + head.dataStart + head.dataBytes;
    if (end + entryChecksumBytes > bytes.length) break;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes, at, end));
    at = end + entryChecksumBytes;
  }
  return bytes;
}

export function sharedHeadChunks(): Uint8Array[] {
  return sharedFiles("data/prometheus-3.5.3-crashed/chunks_head", /^\d+$/).map((path) =>
    wholeEntries(new Uint8Array(readFileSync(path).subarray(0, 512))),
  );
}

/** Scans files with this one between two good ones, reads what the scan found, and scans again: all must be in order. */
function scanTwice(bytes: Uint8Array): boolean {
  const fs = new MemFs();
  fs.makeDir(dir);
  for (const [name, content] of [
    ["000001", goodFile],
    ["000002", bytes],
    ["000003", goodFile],
  ] as const)
    fs.open(`${dir}/${name}`, "create").writeAt(content, 0);
  const first = scan(fs);
  const second = scan(fs);
  check(second.setAside === 0, "what was repaired is still damaged");
  check(second.found.join() === first.found.join(), "after the repair there are other chunks");
  const cache = new PageCache(1 << 20);
  const reader = new HeadChunkReader({ fs, cache }, dir);
  for (const ref of first.found) readChunk(reader, ref, true);
  for (let i = 0; i + 4 <= Math.min(bytes.length, 16); i += 4) {
    const offset = new DataView(bytes.buffer, bytes.byteOffset).getUint32(i);
    readChunk(reader, 2 * 2 ** 32 + offset, false);
    readChunk(reader, 2 * 2 ** 32 + (offset % bytes.length), false);
  }
  reader.close();
  return first.setAside === 0;
}

function scan(fs: MemFs): { found: number[]; setAside: number } {
  const found: number[] = [];
  const { chunkCount, setAside } = scanHeadChunks({ fs, logger: silentLogger }, dir, quarantine, (chunk) => {
    found.push(chunk.ref);
    return "";
  });
  check(chunkCount === found.length, `${chunkCount} chunks counted, ${found.length} visited`);
  return { found, setAside: setAside.length };
}

/** The file at a ref may have been set aside; one that the scan found must be readable. */
function readChunk(reader: HeadChunkReader, ref: number, mustBeThere: boolean): void {
  try {
    const { bytes, encoding } = reader.read(ref);
    if (encoding === 1) decodeXor(bytes, 0, bytes.length, new SampleColumns(1), -Infinity, Infinity);
  } catch (error) {
    const isMissing = (error as { code?: string }).code === "ENOENT";
    if (isMissing ? mustBeThere : !isExpected(error)) throw error;
  }
}

const goodFile = headChunkFile();

export const chunkTargets: readonly FuzzTarget[] = [
  { name: "xor-chunk", share: 1, seeds: seedChunks, run: decodeTwice },
  {
    name: "head-chunks",
    share: 1,
    seeds: () => [goodFile, ...sharedHeadChunks()],
    seal: sealHeadChunks,
    run: scanTwice,
  },
];

/** Without the entry that the cut went through. */
function wholeEntries(bytes: Uint8Array): Uint8Array {
  const head = newEntryHead();
  let at = headChunkHeaderBytes;
  while (at + entryFixedBytes + 5 < bytes.length) {
    parseEntryHead(bytes, at, head, "", at);
    const end = at + head.dataStart + head.dataBytes + entryChecksumBytes;
    if (end > bytes.length) break;
    at = end;
  }
  return bytes.slice(0, at);
}
