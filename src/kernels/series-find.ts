/** Looks series up by their label bytes; the series index is the writer's alone. */
import {
  directoryHeaderWords,
  inlinePairs,
  labelCountMask,
  Pair,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Segment,
  Series,
} from "./head-layout.ts";
import { matchString } from "./pair-find.ts";

/** The ref of the series whose label bytes are bytes[start, end) with this hash; 0 if there is none. */
export function findSeries(
  words: Uint32Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  hashLow: number,
  hashHigh: number,
): number {
  const segment = Root.indexSegments + (hashHigh >>> 24) * Segment.words;
  const table = words[segment + Segment.table];
  if (table === 0) return 0;
  const mask = words[segment + Segment.mask];
  const directory = words[Root.seriesDirectory] + directoryHeaderWords;
  for (let i = hashLow & mask; ; i = (i + 1) & mask) {
    const slot = table + 2 * i;
    const ref = words[slot + 1];
    if (ref === 0) return 0;
    if (words[slot] !== hashHigh) continue;
    const record =
      words[directory + (ref >>> recordsPerPageBits)] + (ref & (recordsPerPage - 1)) * Series.words;
    if (words[record + Series.hashLow] !== hashLow) continue;
    if (matchLabels(words, record, bytes, start, end) === end) return ref;
  }
}

/** Behind the labels of a series if bytes[start, …) begin with them, field by field; -1 if not. */
export function matchLabels(
  words: Uint32Array,
  record: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const count = words[record + Series.labelCount] & labelCountMask;
  const inline = count <= inlinePairs ? count : inlinePairs - 1;
  const spill = words[record + Series.pairSpill];
  const directory = words[Root.pairDirectory] + directoryHeaderWords;
  let at = start;
  for (let i = 0; i < count; i++) {
    const id = i < inline ? words[record + Series.pairs + i] : words[spill + i - inline];
    const header = words[directory + (id >>> recordsPerPageBits)] + (id & (recordsPerPage - 1)) * Pair.words;
    const length = matchString(words, words[header + Pair.string], bytes, at, end);
    if (length === 0) return -1;
    at += length;
  }
  return at;
}
