/**
 * The labels of a series as a WAL series record has them (record/series.ts), straight from the strings of its pairs:
 * these hold names and values with the same lengths in front. No text is made.
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { labelCountMask, Pair } from "../../kernels/head-layout.ts";
import { varintBytes } from "./label-bytes.ts";
import { pairHeader } from "./memory.ts";
import { pairIdsOf } from "./series-table.ts";

const ids = new Uint32Array(labelCountMask);

/** Writes the number of labels, then each name and value. */
export function writeSeriesLabels(words: Uint32Array, record: number, out: ByteWriter): void {
  const count = pairIdsOf(words, record, ids);
  out.uvarint(count);
  for (let i = 0; i < count; i++) {
    const header = pairHeader(words, ids[i]);
    const string = words[header + Pair.string];
    const nameBytes = words[header + Pair.nameBytes];
    const valueBytes = words[header + Pair.valueBytes];
    const end = words[string];
    // Back from the end: value, its length, a tag, name, its length.
    const value = end - valueBytes - varintBytes(valueBytes);
    const name = value - 1 - nameBytes - varintBytes(nameBytes);
    copyBytes(words, string + 1, name, value - 1, out);
    copyBytes(words, string + 1, value, end, out);
  }
}

/** Bytes [start, end) of what begins at word `base`. */
function copyBytes(words: Uint32Array, base: number, start: number, end: number, out: ByteWriter): void {
  const to = out.length;
  const buffer = out.room(end - start);
  const shift = to - start;
  for (let at = start; at < end; at++) {
    buffer[at + shift] = words[base + (at >>> 2)] >>> (8 * (at & 3));
  }
  out.advance(end - start);
}
