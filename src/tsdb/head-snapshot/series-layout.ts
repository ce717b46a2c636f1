/**
 * A series in a `series` section, in words: the fixed ones, then `labels` pair ids, `listed` chunk entries of six words
 * as in the head's memory (docs/formats/head-memory.md), and the words of the open chunk.
 */
export const Entry = {
  words: 22,
  walRefLow: 0,
  walRefHigh: 1,
  hashLow: 2,
  hashHigh: 3,
  /** Labels in 16 bits, the {@link OpenKind} above them. */
  labels: 4,
  total: 5,
  /** Samples in the open chunk and the flags, as in the record. */
  samples: 6,
  bits: 7,
  timeDelta: 8,
  /** Chunks in files, and the ordinal of the first one's first sample. */
  listed: 9,
  listOrdinal: 10,
  openOrdinal: 11,
  dataWords: 12,
  /** For {@link OpenKind.unsettled}: the bytes that count in 24 bits, the encoding above them. */
  dataBytes: 13,
  lastTime: 14,
  lastValue: 16,
  chunkEnd: 18,
  firstTime: 20,
} as const;

/**
 * `settled`: the data are the words of the open chunk, and the entry has the state of its encoder. `unsettled`: the
 * series has native histograms, or was appended to while the snapshot was taken; the data are the bytes of a chunk, whose
 * first `samples` samples are to be appended again.
 */
export const OpenKind = { none: 0, settled: 1, unsettled: 2 } as const;

/** Numbers for each chunk of out-of-order samples: WAL ref, ref, mint, maxt, samples + encoding * 2^16. */
export const lateChunkDoubles = 5;
