/**
 * The memory in which scraped pages are read: addresses and record layouts that the scanner (scrape-scan.ts and its
 * WebAssembly twin assembly/scrape.kernel.ts) shares with the code around it (scrape-cache.ts).
 *
 * It is one WebAssembly.Memory of the writer thread, unshared, its own (not the head's), grown as needed:
 *
 * ```
 *       0 ┌──────────────────────┐
 *         │ the kernel's tables  │
 *   16 Ki ├──────────────────────┤
 *         │ control block        │ one for all targets: whose page is being read, where, what came out
 *   17 Ki ├──────────────────────┤
 *         │ sample columns       │ what the scanner found since they were last drained
 *         │ exemplar columns     │
 *  256 Ki ├──────────────────────┤
 *         │ window               │ the part of the page that is being read; whole lines
 *  512 Ki ├──────────────────────┤
 *         │ blocks               │ every target's cache: entries, keys, orders, hash table
 *         └──────────────────────┘
 * ```
 *
 * All addresses are byte addresses; records consist of u32 words, little-endian.
 */

export const controlAddress = 16 * 1024;

/** Word offsets in the control block. */
export const Control = {
  /** Next byte to read (an address). Out: where the scanner stopped, see Status. */
  position: 0,
  /** One past the last line break of the window. */
  end: 1,
  /** Format.text or Format.openMetrics. */
  format: 2,
  /** The number of this scrape; at least 2. */
  iteration: 3,
  entries: 4,
  keys: 5,
  /** Slots in the order of the last page's lines, and how many. */
  previousOrder: 6,
  previousLength: 7,
  /** The index in it that the next line is expected to have. */
  predicted: 8,
  /** The same for this page, being written. */
  order: 9,
  orderLength: 10,
  orderCapacity: 11,
  table: 12,
  tableMask: 13,
  hashSeed: 14,
  /** 1: take the timestamps that samples bring along. */
  honorTimestamps: 15,
  /** How many samples and exemplars lie in the columns. */
  samples: 16,
  exemplars: 17,
  /** Sample lines so far; those of them that relabelling did not drop; those that repeat a series of this scrape. */
  total: 18,
  added: 19,
  duplicates: 20,
  /** Entries seen in this scrape. */
  seen: 21,
  /** The type that the last TYPE line gave (textparse's metricTypeCode). */
  typeCode: 22,
  /** Status.number: the sample's slot (0: nothing to resume), and the address behind the number. */
  resumeSlot: 23,
  numberEnd: 24,
  /** Where the current line begins. */
  lineStart: 25,
  /** Two doubles, 8-byte aligned: the scrape's time; Status.number: the value, to be written before resuming. */
  defaultTime: 26,
  resumeValue: 28,
} as const;

export const Status = {
  /** All lines of the window are read. */
  windowEnd: 0,
  /** The line at `position` is unknown or unusual: the full parser must read it. */
  line: 1,
  /** The number at [position, numberEnd) is beyond the scanner; the line is fine up to there. */
  number: 2,
  /** The columns are full; or the order is. Nothing of the line at `position` is done yet. */
  columnsFull: 3,
  orderFull: 4,
} as const;

/** What may be done with the columns: each is `columnLength` (or `exemplarLength`) long. */
export const columnLength = 4096;
export const exemplarLength = 1024;

/** Slot of a sample's series; the highest bit is set where the page gave the timestamp. */
export const slotColumn = controlAddress + 1024;
export const explicitTime = 0x80000000;
export const refColumn = slotColumn + 4 * columnLength;
export const timeColumn = refColumn + 4 * columnLength;
export const valueColumn = timeColumn + 8 * columnLength;
/** Index of the exemplar's sample in the sample columns. */
export const exemplarSampleColumn = valueColumn + 8 * columnLength;
/** Where its labels begin and end (addresses in the window, without the braces); 1 where it has a timestamp. */
export const exemplarStartColumn = exemplarSampleColumn + 4 * exemplarLength;
export const exemplarEndColumn = exemplarStartColumn + 4 * exemplarLength;
export const exemplarTimedColumn = exemplarEndColumn + 4 * exemplarLength;
export const exemplarTimeColumn = exemplarTimedColumn + 4 * exemplarLength;
export const exemplarValueColumn = exemplarTimeColumn + 8 * exemplarLength;

export const windowAddress = 256 * 1024;
/** The window's last 64 bytes stay unused: the kernel compares 16 bytes at a time. */
export const windowBytes = 256 * 1024 - 64;
export const blocksAddress = 512 * 1024;

/** Word offsets in an entry of a cache. Entry 0 is never used: slot 0 means "none". */
export const Slot = {
  /** Offset of the key within the cache's keys. */
  key: 0,
  /** Key length in the low 24 bits, flags above. */
  lengthAndFlags: 1,
  hash: 2,
  /** The last iteration in which a line had this key. */
  seen: 3,
  /** The last iteration in which the series got a sample for whose end a staleness marker is due. */
  tracked: 4,
  /** The series in the head; 0: must be asked for anew. Of a free entry: the next free one. */
  ref: 5,
  /** Its index in the last order it was written to. */
  order: 6,
} as const;
export const slotWords = 8;

export const keyLengthMax = 0xffffff;

/** Flags of an entry, in the top 8 bits of its word. */
export const Kind = { free: 0, series: 1, dropped: 2, comment: 3 } as const;
export const Format = { text: 1, openMetrics: 2, protobuf: 3 } as const;
export const kindMask = 3;
export const formatShift = 2;
/** Of a TYPE line: the type's code. */
export const typeShift = 4;
/** Of a comment: it is a TYPE line. Of a series: the key is a bare name, so what follows must end it. */
export const markFlag = 0x80;
