// Looks series up by their label bytes: src/kernels/series-find.ts. Positions are byte addresses.
import {
  DIRECTORY_HEADER_WORDS, INLINE_PAIRS, LABEL_COUNT_MASK, PAIR_STRING, PAIR_WORDS, RECORDS_PER_PAGE,
  RECORDS_PER_PAGE_BITS, ROOT_INDEX_SEGMENTS, ROOT_PAIR_DIRECTORY, ROOT_SERIES_DIRECTORY, SEGMENT_MASK, SEGMENT_TABLE,
  SEGMENT_WORDS, SERIES_HASH_LOW, SERIES_LABEL_COUNT, SERIES_PAIRS, SERIES_PAIR_SPILL, seriesRecord, word,
} from "./head-layout";

/** The ref of the series whose label bytes are those from start to end, with this hash; 0 if there is none. */
export function findSeries(start: usize, end: usize, hashLow: u32, hashHigh: u32): u32 {
  const segment = ROOT_INDEX_SEGMENTS + (hashHigh >> 24) * SEGMENT_WORDS;
  const table = word(segment + SEGMENT_TABLE);
  if (table == 0) return 0;
  const mask = word(segment + SEGMENT_MASK);
  const directory = word(ROOT_SERIES_DIRECTORY) + DIRECTORY_HEADER_WORDS;
  let i = hashLow & mask;
  while (true) {
    const slot = table + 2 * i;
    const ref = word(slot + 1);
    if (ref == 0) return 0;
    if (word(slot) == hashHigh) {
      const record = seriesRecord(directory, ref);
      if (word(record + SERIES_HASH_LOW) == hashLow && matchLabels(record, start, end) == end) return ref;
    }
    i = (i + 1) & mask;
  }
}

/** Behind the labels of a series if the bytes from start on begin with them; 0 if not. Reads no byte from `end` on. */
export function matchLabels(record: u32, start: usize, end: usize): usize {
  const count = word(record + SERIES_LABEL_COUNT) & LABEL_COUNT_MASK;
  const inline = count <= INLINE_PAIRS ? count : INLINE_PAIRS - 1;
  const directory = word(ROOT_PAIR_DIRECTORY) + DIRECTORY_HEADER_WORDS;
  let at = start;
  let ids = record + SERIES_PAIRS;
  for (let i: u32 = 0; i < count; i++) {
    if (i == inline) ids = word(record + SERIES_PAIR_SPILL) - inline;
    const id = word(ids + i);
    const header = word(directory + (id >> RECORDS_PER_PAGE_BITS)) + (id & (RECORDS_PER_PAGE - 1)) * PAIR_WORDS;
    const string = (<usize>word(header + PAIR_STRING)) << 2;
    const length = <usize>load<u32>(string);
    if (length > end - at || !equalBytes(string + 4, at, length)) return 0;
    at += length;
  }
  return at;
}

// @ts-ignore: decorator
@inline
function equalBytes(a: usize, b: usize, length: usize): bool {
  // No label has less: two tags, two lengths, a name and a value, in a field with tag and length.
  if (length < 8) return false;
  const last = length - 8;
  for (let i: usize = 0; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  return load<u64>(a + last) == load<u64>(b + last);
}
