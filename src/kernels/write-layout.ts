/**
 * The control blocks of the kernels that take remote-write requests in (write-scan.ts, head-stage.ts), as words in the
 * shared memory of the head; doubles at even offsets. The writer's alone. `assembly/` has the same numbers.
 */

/** Of the scan of a request. Offsets named "at" are words. */
export const Scan = {
  words: 24,
  /** The decompressed request: where, and how many bytes. */
  message: 0,
  messageBytes: 1,
  /** The columns that the samples go to, and how many fit. */
  refs: 2,
  times: 3,
  values: 4,
  capacity: 5,
  /** Where the entries of unknown series go: as many as samples fit. */
  unknown: 6,
  /**
   * By the low bits of a ref: which series followed when that one was last written; 0: the next ref. A guess, which
   * the labels confirm or not, so that refs may share a place.
   */
  successors: 7,
  successorMask: 8,
  /** In and out: the last known series that was written. */
  previous: 9,
  /** Out. */
  samples: 10,
  unknownCount: 11,
  /** Out: the latest time of all samples. */
  maxt: 12,
} as const;

/** A series that the head does not know: its samples in the columns, its label bytes in the message. */
export const Unknown = { words: 4, firstSample: 0, endSample: 1, start: 2, end: 3 } as const;

export const ScanStatus = {
  /** The columns hold the whole request. */
  usual: 0,
  /** The request holds something that only the decoder of remote/ knows, valid or not. */
  unusual: 1,
  /** The columns are too short: make them longer and begin again. */
  full: 2,
} as const;

/** Of judging samples that lie in the shared memory. */
export const Stage = {
  words: 12,
  /** The columns, and where the outcomes go, a byte each. */
  refs: 0,
  times: 1,
  values: 2,
  outcomes: 3,
  count: 4,
  /** The staged columns; how many samples are in them, in and out. */
  stagedRefs: 5,
  stagedTimes: 6,
  stagedValues: 7,
  staged: 8,
  minValidTime: 10,
} as const;
