/**
 * Where things lie in the shared memory of the head: docs/formats/head-memory.md in constants. All offsets are words
 * (32 bits). `assembly/` has the same numbers.
 */

/** One arena page: 64 KiB. */
export const pageWords = 16384;

export const Root = {
  /** The first page belongs to the static data of the WebAssembly kernels. */
  start: pageWords,
  magic: pageWords,
  version: pageWords + 1,
  pageCount: pageWords + 2,
  hashSeed: pageWords + 3,
  committed: pageWords + 4,
  slotsUsed: pageWords + 5,
  lastRef: pageWords + 6,
  seriesDirectory: pageWords + 7,
  pairDirectory: pageWords + 8,
  pairTable: pageWords + 9,
  firstName: pageWords + 10,
  deletedIntervals: pageWords + 11,
  outOfOrder: pageWords + 12,
  seriesNotFound: pageWords + 13,
  states: pageWords + 16,
  wordsInUse: pageWords + 32,
  classes: pageWords + 64,
  indexSegments: pageWords + 256,
  slots: pageWords + 2048,
  /** Where the page table begins. */
  end: pageWords + 8192,
} as const;

export const magic = 0x3148584e;
export const version = 1;

/** One of the two states: offsets from its first word. */
export const State = { words: 8, lastRef: 0, flags: 1, minTime: 2, maxTime: 4, lateMinTime: 6 } as const;
export const StateFlag = { initialized: 2 } as const;

export const Slot = { words: 16, count: 256, pinned: 0, opened: 1, owner: 2 } as const;

/** Size classes: offsets in a class's entry, and the sizes. */
export const Class = { words: 4, free: 0, bump: 1, end: 2, live: 3 } as const;
export const classWords = [
  4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 272, 384, 512, 768, 1024, 1536, 2048,
] as const;

/** Page table words. */
export const PageKind = { free: 0, runStart: 0x80000000, runRest: 0x40000000 } as const;

/** What memory is used for; the index into Root.wordsInUse. */
export const Purpose = {
  series: 0,
  openChunks: 1,
  chunkLists: 2,
  pairs: 3,
  strings: 4,
  postings: 5,
  index: 6,
  isolation: 7,
  directories: 8,
  staging: 9,
  deletedIntervals: 10,
  outOfOrder: 11,
} as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** Directories of pages: { capacity, page… }. */
export const directoryHeaderWords = 1;
export const recordsPerPageBits = 10;
export const recordsPerPage = 1024;

export const Pair = {
  words: 16,
  first: 0,
  tail: 1,
  generation: 2,
  length: 3,
  string: 4,
  name: 5,
  nameBytes: 6,
  valueBytes: 7,
  hash: 8,
  next: 9,
  block: 10,
} as const;

export const Block = { next: 0, capacity: 1, header: 2 } as const;
/** The capacity of the block that every pair header holds. */
export const firstBlockCapacity = 4;
/** Unused words of posting blocks: above every ref, so that readers stop. */
export const noPosting = 0xffffffff;

/** Pair table: { capacity - 1, pairs, (hash, id)… }. */
export const Table = { mask: 0, count: 1, header: 2 } as const;

export const Series = {
  words: 32,
  hashLow: 0,
  hashHigh: 1,
  /** Labels in 11 bits, the WAL ref's high word above them. */
  labelCount: 2,
  walRefLow: 3,
  pairs: 4,
  pairSpill: 15,
  open: 16,
  total: 17,
  noteBatch: 18,
  noteTotal: 19,
  olderNotes: 20,
  chunkList: 21,
  lastTime: 22,
  lastValue: 24,
  chunkEnd: 26,
  timeDelta: 28,
  tail: 29,
  bits: 30,
  samples: 31,
} as const;
export const labelCountBits = 11;
export const labelCountMask = 0x7ff;
export const inlinePairs = 12;

export const SeriesFlag = {
  dead: 0x10000,
  stale: 0x20000,
  /** The last sample is a native histogram: the open chunk is one of those. */
  histogram: 0x40000,
  deletedIntervals: 0x80000,
  /** Of an open histogram chunk: its end was predicted. */
  endPredicted: 0x100000,
  /** No record of the WAL names it yet. */
  unlogged: 0x400000,
} as const;

/** Parts of Series.bits. */
export const Bits = {
  mask: 0x3fff,
  leadingShift: 14,
  trailingShift: 20,
  windowMask: 0x3f,
  noWindow: 63,
  /** More bits than an XOR chunk may have: the open chunk is of another encoding, so the append kernel begins a new one. */
  otherChunk: 0x3fff,
} as const;

/** An open chunk is a chain of parts; these are the words of the first one. */
export const Chunk = { next: 0, ordinal: 1, firstTime: 2, older: 4, data: 5 } as const;
/**
 * Of a chunk of histograms: where an XOR chunk has its first data, whose upper half is 0, stands encoding << 16; then the
 * bytes of the data and the buckets of the last histogram, both the writer's.
 */
export const HistogramChunk = { encoding: 5, bytes: 6, buckets: 7, data: 8 } as const;
/**
 * Of an XOR2 chunk: the encoding stands there too, with the number of bits that its data have below it. Then the last value
 * that was no staleness marker (its bits), the last start time and the data.
 */
export const Xor2Chunk = { encoding: 5, value: 6, start: 8, data: 10 } as const;
/** The size of a part, a power of two, and the first data word of all parts but the first. */
export const ChunkPart = { words: 16, data: 1 } as const;
/** As many words of data as an open XOR chunk has at most: 1,024 bytes in whole parts. */
export const chunkWordsMax = 266;

export const ChunkList = { count: 0, capacity: 1, ordinal: 2, header: 4 } as const;
export const ChunkEntry = { words: 6, mint: 0, refLow: 2, refHigh: 3, duration: 4, samples: 5 } as const;
/** A duration that does not fit is stored as this. */
export const longDuration = 0xffffffff;

export const Note = { batch: 0, total: 1, older: 2, depth: 3 } as const;

/** Deleted intervals: { count, spare, (ref, spare, mint, maxt)… }. */
export const Interval = { header: 2, words: 6, ref: 0, mint: 2, maxt: 4 } as const;

/**
 * Out-of-order samples of a series: a chain of nodes, newest first. A node is a chunk in memory, whose samples stand in the
 * order in which they came, or a chunk in a file.
 */
export const LateNode = { older: 0, kind: 1 } as const;
export const LateKind = { open: 1, file: 2 } as const;
export const LateChunk = { count: 2, capacity: 3, header: 4 } as const;
/** `batch` is the one that brought the sample; `histogram` where its bytes are, 0 for a float. */
export const LateSample = { words: 6, t: 0, v: 2, batch: 4, histogram: 5 } as const;
export const LateHistogram = { encoding: 0, bytes: 1, data: 2 } as const;
export const LateFile = { words: 10, refLow: 2, refHigh: 3, mint: 4, maxt: 6, samples: 8 } as const;

export const segmentCount = 256;
export const Segment = { words: 4, table: 0, mask: 1, count: 2 } as const;

/** What freed memory is overwritten with in tests: a small number, as a valid ref or offset might be. */
export const poisonWord = 5;

/** What a kernel retires: memory of a purpose, or a chain of notes. */
export const retiredNotes = 100;

/** The control block of the append kernel; doubles at even offsets. */
export const Append = {
  words: 32,
  /** The next sample to look at; in and out. */
  next: 0,
  count: 1,
  /** The staged columns. */
  refs: 2,
  times: 3,
  values: 4,
  batch: 5,
  watermark: 6,
  samplesPerChunk: 7,
  /** Buffers that the kernel fills and its caller empties: where, how many entries, how many fit. */
  cuts: 8,
  cutCount: 9,
  cutCapacity: 10,
  retired: 11,
  retiredCount: 12,
  retiredCapacity: 13,
  /** Out: the size class that has run out. */
  missingClass: 14,
  /** Out, added to: what became of the samples. */
  appended: 15,
  outOfOrder: 16,
  outOfBounds: 17,
  chunksCreated: 18,
  /** Signed. */
  staleSeries: 19,
  chunkRange: 20,
  minValidTime: 22,
  /** In and out: the times of what was appended. */
  mint: 24,
  maxt: 26,
} as const;

/** An entry of the cut buffer: { ref, slab, bits, samples, maxt f64 }. */
export const Cut = { words: 6, ref: 0, slab: 1, bits: 2, samples: 3, maxt: 4 } as const;

export const AppendStatus = { done: 0, classMissing: 1, bufferFull: 2 } as const;
