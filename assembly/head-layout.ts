// Where things lie in the shared memory of the head: the numbers of src/kernels/head-layout.ts, whose names they bear.
// A test compares the two files. Offsets are words (32 bits).

export const ROOT_START: u32 = 16384;
export const ROOT_HASH_SEED: u32 = ROOT_START + 3;
export const ROOT_LAST_REF: u32 = ROOT_START + 6;
export const ROOT_SERIES_DIRECTORY: u32 = ROOT_START + 7;
export const ROOT_PAIR_DIRECTORY: u32 = ROOT_START + 8;
export const ROOT_WORDS_IN_USE: u32 = ROOT_START + 32;
export const ROOT_CLASSES: u32 = ROOT_START + 64;
export const ROOT_INDEX_SEGMENTS: u32 = ROOT_START + 256;
export const ROOT_END: u32 = ROOT_START + 8192;

export const CLASS_WORDS: u32 = 4;
export const CLASS_FREE: u32 = 0;
export const CLASS_BUMP: u32 = 1;
export const CLASS_END: u32 = 2;
export const CLASS_LIVE: u32 = 3;

export const PURPOSE_OPEN_CHUNKS: u32 = 1;
export const PURPOSE_ISOLATION: u32 = 7;

export const DIRECTORY_HEADER_WORDS: u32 = 1;
export const RECORDS_PER_PAGE_BITS: u32 = 10;
export const RECORDS_PER_PAGE: u32 = 1024;

export const PAIR_WORDS: u32 = 16;
export const PAIR_STRING: u32 = 4;

export const SERIES_WORDS: u32 = 32;
export const SERIES_HASH_LOW: u32 = 0;
export const SERIES_LABEL_COUNT: u32 = 2;
export const SERIES_PAIRS: u32 = 4;
export const SERIES_PAIR_SPILL: u32 = 15;
export const SERIES_OPEN: u32 = 16;
export const SERIES_TOTAL: u32 = 17;
export const SERIES_NOTE_BATCH: u32 = 18;
export const SERIES_NOTE_TOTAL: u32 = 19;
export const SERIES_OLDER_NOTES: u32 = 20;
export const SERIES_LAST_TIME: u32 = 22;
export const SERIES_LAST_VALUE: u32 = 24;
export const SERIES_CHUNK_END: u32 = 26;
export const SERIES_TIME_DELTA: u32 = 28;
export const SERIES_TAIL: u32 = 29;
export const SERIES_BITS: u32 = 30;
export const SERIES_SAMPLES: u32 = 31;
export const LABEL_COUNT_MASK: u32 = 0x7ff;
export const INLINE_PAIRS: u32 = 12;

export const FLAG_DEAD: u32 = 0x10000;
export const FLAG_STALE: u32 = 0x20000;
export const FLAG_HISTOGRAM: u32 = 0x40000;

export const BITS_MASK: u32 = 0x3fff;
export const BITS_LEADING_SHIFT: u32 = 14;
export const BITS_TRAILING_SHIFT: u32 = 20;
export const BITS_WINDOW_MASK: u32 = 0x3f;
export const BITS_NO_WINDOW: u32 = 63;

export const CHUNK_NEXT: u32 = 0;
export const CHUNK_ORDINAL: u32 = 1;
export const CHUNK_FIRST_TIME: u32 = 2;
export const CHUNK_OLDER: u32 = 4;
export const CHUNK_DATA: u32 = 5;
export const PART_WORDS: u32 = 16;
export const PART_DATA: u32 = 1;

export const NOTE_BATCH: u32 = 0;
export const NOTE_TOTAL: u32 = 1;
export const NOTE_OLDER: u32 = 2;
export const NOTE_DEPTH: u32 = 3;

export const SEGMENT_WORDS: u32 = 4;
export const SEGMENT_TABLE: u32 = 0;
export const SEGMENT_MASK: u32 = 1;

export const RETIRED_NOTES: u32 = 100;

export const APPEND_NEXT: u32 = 0;
export const APPEND_COUNT: u32 = 1;
export const APPEND_REFS: u32 = 2;
export const APPEND_TIMES: u32 = 3;
export const APPEND_VALUES: u32 = 4;
export const APPEND_BATCH: u32 = 5;
export const APPEND_WATERMARK: u32 = 6;
export const APPEND_SAMPLES_PER_CHUNK: u32 = 7;
export const APPEND_CUTS: u32 = 8;
export const APPEND_CUT_COUNT: u32 = 9;
export const APPEND_CUT_CAPACITY: u32 = 10;
export const APPEND_RETIRED: u32 = 11;
export const APPEND_RETIRED_COUNT: u32 = 12;
export const APPEND_RETIRED_CAPACITY: u32 = 13;
export const APPEND_MISSING_CLASS: u32 = 14;
export const APPEND_APPENDED: u32 = 15;
export const APPEND_OUT_OF_ORDER: u32 = 16;
export const APPEND_OUT_OF_BOUNDS: u32 = 17;
export const APPEND_CHUNKS_CREATED: u32 = 18;
export const APPEND_STALE_SERIES: u32 = 19;
export const APPEND_CHUNK_RANGE: u32 = 20;
export const APPEND_MIN_VALID_TIME: u32 = 22;
export const APPEND_MINT: u32 = 24;
export const APPEND_MAXT: u32 = 26;

export const CUT_WORDS: u32 = 6;
export const CUT_REF: u32 = 0;
export const CUT_SLAB: u32 = 1;
export const CUT_BITS: u32 = 2;
export const CUT_SAMPLES: u32 = 3;
export const CUT_MAXT: u32 = 4;

export const STATUS_DONE: u32 = 0;
export const STATUS_CLASS_MISSING: u32 = 1;
export const STATUS_BUFFER_FULL: u32 = 2;

/** The sizes of the slab classes, in words. */
export const SLAB_WORDS: StaticArray<u32> = [
  4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 272, 384, 512, 768, 1024, 1536, 2048,
];

@inline
export function word(at: u32): u32 {
  return load<u32>((<usize>at) << 2);
}

@inline
export function setWord(at: u32, value: u32): void {
  store<u32>((<usize>at) << 2, value);
}

/** For words that readers watch. */
@inline
export function publish(at: u32, value: u32): void {
  atomic.store<u32>((<usize>at) << 2, value);
}

@inline
export function double(at: u32): f64 {
  return load<f64>((<usize>at) << 2);
}

@inline
export function setDouble(at: u32, value: f64): void {
  store<f64>((<usize>at) << 2, value);
}

@inline
export function slabWords(index: u32): u32 {
  return unchecked(SLAB_WORDS[index]);
}

/** The record of a series whose page is there. */
@inline
export function seriesRecord(directory: u32, ref: u32): u32 {
  return word(directory + (ref >> RECORDS_PER_PAGE_BITS)) + (ref & (RECORDS_PER_PAGE - 1)) * SERIES_WORDS;
}
