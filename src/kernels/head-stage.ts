/**
 * Judges the samples of a batch against what is committed and copies those that are good to the staged columns.
 * docs/formats/head-memory.md, section 6.
 */
import {
  directoryHeaderWords,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  SeriesFlag,
} from "./head-layout.ts";

/** What became of a sample: the numbers of storage/appender.ts's Outcome, and one for a ref that is no series. */
export const Judgement = {
  ok: 0,
  duplicate: 1,
  duplicateTimestamp: 2,
  outOfOrder: 3,
  outOfBounds: 4,
  noSeries: 255,
} as const;

/**
 * Judges samples [start, n) of the columns, `values` as words; writes what became of each to `outcomes` and copies the
 * good ones to the staged columns from sample `staged` on, which have room. Returns the number of staged samples.
 */
export function stageSamples(
  words: Uint32Array,
  doubles: Float64Array,
  refs: Uint32Array,
  timestamps: Float64Array,
  values: Uint32Array,
  n: number,
  outcomes: Uint8Array,
  minValidTime: number,
  stagedRefs: number,
  stagedTimes: number,
  stagedValues: number,
  staged: number,
): number {
  const directory = words[Root.seriesDirectory] + directoryHeaderWords;
  const lastRef = words[Root.lastRef];
  const times = stagedTimes >> 1;
  for (let i = 0; i < n; i++) {
    const ref = refs[i];
    const t = timestamps[i];
    const page = ref === 0 || ref > lastRef ? 0 : words[directory + (ref >>> recordsPerPageBits)];
    const record = page + (ref & (recordsPerPage - 1)) * Series.words;
    if (page === 0 || (words[record + Series.samples] & SeriesFlag.dead) !== 0) {
      outcomes[i] = Judgement.noSeries;
      continue;
    }
    const low = values[2 * i];
    const high = values[2 * i + 1];
    if (t < minValidTime) {
      outcomes[i] = Judgement.outOfBounds;
      continue;
    }
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    if (t <= lastTime && words[record + Series.open] !== 0) {
      if (t < lastTime) outcomes[i] = Judgement.outOfOrder;
      else if (
        low === words[record + Series.lastValue] &&
        high === words[record + Series.lastValue + 1] &&
        (words[record + Series.samples] & SeriesFlag.histogram) === 0
      ) {
        outcomes[i] = Judgement.duplicate;
      } else outcomes[i] = Judgement.duplicateTimestamp;
      continue;
    }
    outcomes[i] = Judgement.ok;
    words[stagedRefs + staged] = ref;
    doubles[times + staged] = t;
    words[stagedValues + 2 * staged] = low;
    words[stagedValues + 2 * staged + 1] = high;
    staged++;
  }
  return staged;
}
