/**
 * Takes a remote-write 1.0 request of the usual form apart: series with their labels first, then their samples, nothing
 * else. Fills columns in the shared memory of the head and finds the series that the head knows. TypeScript twin of the
 * scan kernel in `assembly/`.
 *
 * Senders repeat their series in the same order, so the series that followed the last one before is tried first; its
 * label bytes, compared with those in the request, decide.
 *
 * Whatever is not of this form is left to the decoder in remote/, which has the rules and the errors: nothing here says
 * that a request is bad. Nothing but the successors is changed.
 */
import {
  directoryHeaderWords,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  SeriesFlag,
} from "./head-layout.ts";
import { hashBytes, hashHigh } from "./label-hash.ts";
import { findSeries, matchLabels } from "./series-find.ts";
import { areUsualLabels, contentEnd, contentStart } from "./usual-labels.ts";
import { Scan, ScanStatus, Unknown } from "./write-layout.ts";

const seriesTag = 0x0a;
const labelTag = 0x0a;
const sampleTag = 0x12;
const valueTag = 0x09;
const timeTag = 0x10;

/** Scans the request that the control block names, whose bytes are `message`; returns a ScanStatus. */
export function scanWriteRequest(
  words: Uint32Array,
  doubles: Float64Array,
  message: Uint8Array,
  control: number,
): number {
  const end = words[control + Scan.messageBytes];
  const refs = words[control + Scan.refs];
  const capacity = words[control + Scan.capacity];
  const unknown = words[control + Scan.unknown];
  let previous = words[control + Scan.previous];
  let samples = 0;
  let unknownCount = 0;
  let maxt = Number.NEGATIVE_INFINITY;
  words[control + Scan.samples] = 0;
  doubles[(control + Scan.maxt) >> 1] = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < end; ) {
    if (message[at] !== seriesTag) return ScanStatus.unusual;
    const seriesEnd = contentEnd(message, at + 1, end);
    if (seriesEnd < 0) return ScanStatus.unusual;
    const start = contentStart;
    const successor = words[control + Scan.successors] + (previous & words[control + Scan.successorMask]);
    let ref = words[successor] === 0 ? previous + 1 : words[successor];
    let labelsEnd = matchPredicted(words, ref, message, start, seriesEnd);
    if (labelsEnd < 0) {
      labelsEnd = behindLabels(message, start, seriesEnd);
      if (labelsEnd <= start) return ScanStatus.unusual;
      const hashLow = hashBytes(message, start, labelsEnd, words[Root.hashSeed]);
      ref = findSeries(words, message, start, labelsEnd, hashLow, hashHigh);
      if (ref !== 0) words[successor] = ref;
      else if (!areUsualLabels(message, start, labelsEnd)) return ScanStatus.unusual;
    }
    // A series without samples is looked at, but not created: not here.
    if (labelsEnd === seriesEnd) return ScanStatus.unusual;
    const first = samples;
    for (at = labelsEnd; at < seriesEnd; samples++) {
      if (samples === capacity) return ScanStatus.full;
      at = readSample(words, doubles, message, control, at, seriesEnd, samples);
      if (at < 0) return ScanStatus.unusual;
      words[refs + samples] = ref;
      if (readTime > maxt) maxt = readTime;
    }
    if (ref !== 0) {
      previous = ref;
      continue;
    }
    const entry = unknown + Unknown.words * unknownCount++;
    words[entry + Unknown.firstSample] = first;
    words[entry + Unknown.endSample] = samples;
    words[entry + Unknown.start] = start;
    words[entry + Unknown.end] = labelsEnd;
  }
  words[control + Scan.previous] = previous;
  words[control + Scan.samples] = samples;
  words[control + Scan.unknownCount] = unknownCount;
  doubles[(control + Scan.maxt) >> 1] = maxt;
  return ScanStatus.usual;
}

/** Behind the labels at `start` if they are exactly those of the series `ref`; otherwise -1. */
function matchPredicted(
  words: Uint32Array,
  ref: number,
  message: Uint8Array,
  start: number,
  end: number,
): number {
  if (ref > words[Root.lastRef]) return -1;
  const page = words[words[Root.seriesDirectory] + directoryHeaderWords + (ref >>> recordsPerPageBits)];
  if (page === 0) return -1;
  const record = page + (ref & (recordsPerPage - 1)) * Series.words;
  if ((words[record + Series.samples] & SeriesFlag.dead) !== 0) return -1;
  const labelsEnd = matchLabels(words, record, message, start, end);
  if (labelsEnd <= start || (labelsEnd < end && message[labelsEnd] === labelTag)) return -1;
  return labelsEnd;
}

/** Behind the label fields at `start`, whatever is in them; -1 where one does not fit. */
function behindLabels(message: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && message[at] === labelTag) {
    at = contentEnd(message, at + 1, end);
    if (at < 0) return -1;
  }
  return at;
}

/** The time of the sample that {@link readSample} read. */
let readTime = 0;

/**
 * Reads one sample field into place `index` of the columns: the value, which is missing where it is 0, and a time from
 * 0 to 2^53. Returns the position behind it, -1 for anything else.
 */
function readSample(
  words: Uint32Array,
  doubles: Float64Array,
  message: Uint8Array,
  control: number,
  start: number,
  seriesEnd: number,
  index: number,
): number {
  // Not more than 19 bytes: one byte says how many.
  if (message[start] !== sampleTag || seriesEnd - start < 2 || message[start + 1] > 0x7f) return -1;
  const end = start + 2 + message[start + 1];
  if (end > seriesEnd) return -1;
  const hasValue = end - start >= 11 && message[start + 2] === valueTag;
  let at = start + (hasValue ? 11 : 2);
  if (end - at < 2 || message[at] !== timeTag) return -1;
  let t = 0;
  let scale = 1;
  for (at++; ; at++) {
    if (at === end || scale > 2 ** 49) return -1;
    const byte = message[at];
    t += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) break;
  }
  if (at + 1 !== end || t > Number.MAX_SAFE_INTEGER) return -1;
  const value = words[control + Scan.values] + 2 * index;
  words[value] = hasValue ? wordAt(message, start + 3) : 0;
  words[value + 1] = hasValue ? wordAt(message, start + 7) : 0;
  doubles[(words[control + Scan.times] >> 1) + index] = t;
  readTime = t;
  return end;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
