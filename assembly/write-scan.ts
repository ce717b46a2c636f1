// Takes a remote-write request of the usual form apart: src/kernels/write-scan.ts, whose comments hold here too.
// Positions in the message are byte addresses.
import {
  DIRECTORY_HEADER_WORDS, FLAG_DEAD, RECORDS_PER_PAGE, RECORDS_PER_PAGE_BITS, ROOT_HASH_SEED, ROOT_LAST_REF,
  ROOT_SERIES_DIRECTORY, SERIES_SAMPLES, SERIES_WORDS, setDouble, setWord, word,
} from "./head-layout";
import { hashBytes, hashHigh } from "./label-hash";
import { findSeries, matchLabels } from "./series-find";
import { areUsualLabels, contentEnd, contentStart } from "./usual-labels";
import {
  SCAN_CAPACITY, SCAN_MAXT, SCAN_MESSAGE, SCAN_MESSAGE_BYTES, SCAN_PREVIOUS, SCAN_REFS, SCAN_SAMPLES, SCANSTATUS_FULL,
  SCANSTATUS_UNUSUAL, SCANSTATUS_USUAL, SCAN_SUCCESSOR_MASK, SCAN_SUCCESSORS, SCAN_TIMES, SCAN_UNKNOWN,
  SCAN_UNKNOWN_COUNT, SCAN_VALUES, UNKNOWN_END, UNKNOWN_END_SAMPLE, UNKNOWN_FIRST_SAMPLE, UNKNOWN_START, UNKNOWN_WORDS,
} from "./write-layout";

const SERIES_TAG: u8 = 0x0a;
const LABEL_TAG: u8 = 0x0a;
const SAMPLE_TAG: u8 = 0x12;
const VALUE_TAG: u8 = 0x09;
const TIME_TAG: u8 = 0x10;
const TIME_MAX: u64 = 0x1fffffffffffff;

/** Scans the request that the control block names; returns a status. */
export function scanWriteRequest(control: u32): u32 {
  const message = (<usize>word(control + SCAN_MESSAGE)) << 2;
  const end = message + <usize>word(control + SCAN_MESSAGE_BYTES);
  const refs = word(control + SCAN_REFS);
  const times = word(control + SCAN_TIMES);
  const values = word(control + SCAN_VALUES);
  const capacity = word(control + SCAN_CAPACITY);
  const unknown = word(control + SCAN_UNKNOWN);
  const successors = word(control + SCAN_SUCCESSORS);
  const successorMask = word(control + SCAN_SUCCESSOR_MASK);
  let previous = word(control + SCAN_PREVIOUS);
  let samples: u32 = 0;
  let unknownCount: u32 = 0;
  let maxTime: u64 = 0;
  setWord(control + SCAN_SAMPLES, 0);
  setDouble(control + SCAN_MAXT, -Infinity);
  for (let at = message; at < end; ) {
    if (load<u8>(at) != SERIES_TAG) return SCANSTATUS_UNUSUAL;
    const seriesEnd = contentEnd(at + 1, end);
    if (seriesEnd == 0) return SCANSTATUS_UNUSUAL;
    const start = contentStart;
    const successor = successors + (previous & successorMask);
    let ref = word(successor) == 0 ? previous + 1 : word(successor);
    let labelsEnd = matchPredicted(ref, start, seriesEnd);
    if (labelsEnd == 0) {
      labelsEnd = behindLabels(start, seriesEnd);
      if (labelsEnd <= start) return SCANSTATUS_UNUSUAL;
      const hashLow = hashBytes(start, labelsEnd, word(ROOT_HASH_SEED));
      ref = findSeries(start, labelsEnd, hashLow, hashHigh);
      if (ref != 0) setWord(successor, ref);
      else if (!areUsualLabels(start, labelsEnd)) return SCANSTATUS_UNUSUAL;
    }
    if (labelsEnd == seriesEnd) return SCANSTATUS_UNUSUAL;
    const first = samples;
    for (at = labelsEnd; at < seriesEnd; samples++) {
      if (samples == capacity) return SCANSTATUS_FULL;
      if (seriesEnd - at < 2 || load<u8>(at) != SAMPLE_TAG || load<u8>(at, 1) > 0x7f) return SCANSTATUS_UNUSUAL;
      const sampleEnd = at + 2 + <usize>load<u8>(at, 1);
      if (sampleEnd > seriesEnd) return SCANSTATUS_UNUSUAL;
      at += 2;
      let value: u64 = 0;
      if (sampleEnd - at >= 9 && load<u8>(at) == VALUE_TAG) {
        value = load<u64>(at, 1);
        at += 9;
      }
      if (sampleEnd - at < 2 || load<u8>(at) != TIME_TAG) return SCANSTATUS_UNUSUAL;
      let t: u64 = 0;
      let shift: u64 = 0;
      for (at++; ; at++) {
        if (at == sampleEnd || shift > 49) return SCANSTATUS_UNUSUAL;
        const byte = <u64>load<u8>(at);
        t |= (byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) break;
      }
      if (at + 1 != sampleEnd || t > TIME_MAX) return SCANSTATUS_UNUSUAL;
      at = sampleEnd;
      if (t > maxTime) maxTime = t;
      setWord(refs + samples, ref);
      setDouble(times + 2 * samples, <f64>t);
      store<u64>((<usize>(values + 2 * samples)) << 2, value);
    }
    if (ref != 0) {
      previous = ref;
      continue;
    }
    const entry = unknown + UNKNOWN_WORDS * unknownCount++;
    setWord(entry + UNKNOWN_FIRST_SAMPLE, first);
    setWord(entry + UNKNOWN_END_SAMPLE, samples);
    setWord(entry + UNKNOWN_START, <u32>(start - message));
    setWord(entry + UNKNOWN_END, <u32>(labelsEnd - message));
  }
  setWord(control + SCAN_PREVIOUS, previous);
  setWord(control + SCAN_SAMPLES, samples);
  setWord(control + SCAN_UNKNOWN_COUNT, unknownCount);
  if (samples > 0) setDouble(control + SCAN_MAXT, <f64>maxTime);
  return SCANSTATUS_USUAL;
}

/** Behind the labels at `start` if they are exactly those of the series `ref`; otherwise 0. */
// @ts-ignore: decorator
@inline
function matchPredicted(ref: u32, start: usize, end: usize): usize {
  if (ref > word(ROOT_LAST_REF)) return 0;
  const page = word(word(ROOT_SERIES_DIRECTORY) + DIRECTORY_HEADER_WORDS + (ref >> RECORDS_PER_PAGE_BITS));
  if (page == 0) return 0;
  const record = page + (ref & (RECORDS_PER_PAGE - 1)) * SERIES_WORDS;
  if ((word(record + SERIES_SAMPLES) & FLAG_DEAD) != 0) return 0;
  const labelsEnd = matchLabels(record, start, end);
  if (labelsEnd <= start || (labelsEnd < end && load<u8>(labelsEnd) == LABEL_TAG)) return 0;
  return labelsEnd;
}

/** Behind the label fields at `start`, whatever is in them; 0 where one does not fit. */
function behindLabels(start: usize, end: usize): usize {
  let at = start;
  while (at < end && load<u8>(at) == LABEL_TAG) {
    at = contentEnd(at + 1, end);
    if (at == 0) return 0;
  }
  return at;
}
