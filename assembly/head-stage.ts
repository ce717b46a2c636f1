// Judges samples that lie in the shared memory and copies the good ones to the staged columns: src/kernels/head-stage.ts.
import {
  DIRECTORY_HEADER_WORDS, double, FLAG_DEAD, FLAG_HISTOGRAM, RECORDS_PER_PAGE, RECORDS_PER_PAGE_BITS, ROOT_LAST_REF,
  ROOT_SERIES_DIRECTORY, SERIES_LAST_TIME, SERIES_LAST_VALUE, SERIES_OPEN, SERIES_SAMPLES, SERIES_WORDS, setDouble, setWord,
  word,
} from "./head-layout";
import {
  JUDGEMENT_DUPLICATE, JUDGEMENT_DUPLICATE_TIMESTAMP, JUDGEMENT_NO_SERIES, JUDGEMENT_OK, JUDGEMENT_OUT_OF_BOUNDS,
  JUDGEMENT_OUT_OF_ORDER, STAGE_COUNT, STAGE_MIN_VALID_TIME, STAGE_OUTCOMES, STAGE_REFS, STAGE_STAGED,
  STAGE_STAGED_REFS, STAGE_STAGED_TIMES, STAGE_STAGED_VALUES, STAGE_TIMES, STAGE_VALUES,
} from "./write-layout";

/** Judges the samples of a control block (write-layout.ts, Stage). */
export function stageSamples(control: u32): void {
  const refs = word(control + STAGE_REFS);
  const times = word(control + STAGE_TIMES);
  const values = word(control + STAGE_VALUES);
  const outcomes = (<usize>word(control + STAGE_OUTCOMES)) << 2;
  const count = word(control + STAGE_COUNT);
  const stagedRefs = word(control + STAGE_STAGED_REFS);
  const stagedTimes = word(control + STAGE_STAGED_TIMES);
  const stagedValues = word(control + STAGE_STAGED_VALUES);
  const minValidTime = double(control + STAGE_MIN_VALID_TIME);
  const directory = word(ROOT_SERIES_DIRECTORY) + DIRECTORY_HEADER_WORDS;
  const lastRef = word(ROOT_LAST_REF);
  let staged = word(control + STAGE_STAGED);
  for (let i: u32 = 0; i < count; i++) {
    const ref = word(refs + i);
    const page: u32 = ref == 0 || ref > lastRef ? 0 : word(directory + (ref >> RECORDS_PER_PAGE_BITS));
    const record = page + (ref & (RECORDS_PER_PAGE - 1)) * SERIES_WORDS;
    const outcome = outcomes + <usize>i;
    if (page == 0 || (word(record + SERIES_SAMPLES) & FLAG_DEAD) != 0) {
      store<u8>(outcome, JUDGEMENT_NO_SERIES);
      continue;
    }
    const t = double(times + 2 * i);
    if (t < minValidTime) {
      store<u8>(outcome, JUDGEMENT_OUT_OF_BOUNDS);
      continue;
    }
    const value = load<u64>((<usize>(values + 2 * i)) << 2);
    const lastTime = double(record + SERIES_LAST_TIME);
    if (t <= lastTime && word(record + SERIES_OPEN) != 0) {
      const isSame =
        value == load<u64>((<usize>(record + SERIES_LAST_VALUE)) << 2) &&
        (word(record + SERIES_SAMPLES) & FLAG_HISTOGRAM) == 0;
      const equal = isSame ? JUDGEMENT_DUPLICATE : JUDGEMENT_DUPLICATE_TIMESTAMP;
      store<u8>(outcome, t < lastTime ? JUDGEMENT_OUT_OF_ORDER : equal);
      continue;
    }
    store<u8>(outcome, JUDGEMENT_OK);
    setWord(stagedRefs + staged, ref);
    setDouble(stagedTimes + 2 * staged, t);
    store<u64>((<usize>(stagedValues + 2 * staged)) << 2, value);
    staged++;
  }
  setWord(control + STAGE_STAGED, staged);
}
