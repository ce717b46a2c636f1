// Appends the staged samples of a batch to the open chunks: src/kernels/head-append.ts, whose comments hold here too.
// docs/formats/head-memory.md has the records, section 6 the rules.
import { putBits, putVarintBits, setTail, tail, varintBits } from "./bit-words";
import {
  APPEND_APPENDED, APPEND_BATCH, APPEND_CHUNKS_CREATED, APPEND_CHUNK_RANGE, APPEND_COUNT, APPEND_CUTS,
  APPEND_CUT_CAPACITY, APPEND_CUT_COUNT, APPEND_MAXT, APPEND_MINT, APPEND_MIN_VALID_TIME, APPEND_MISSING_CLASS,
  APPEND_NEXT, APPEND_OUT_OF_BOUNDS, APPEND_OUT_OF_ORDER, APPEND_REFS, APPEND_RETIRED, APPEND_RETIRED_CAPACITY,
  APPEND_RETIRED_COUNT, APPEND_SAMPLES_PER_CHUNK, APPEND_STALE_SERIES, APPEND_TIMES, APPEND_VALUES, APPEND_WATERMARK,
  BITS_LEADING_SHIFT, BITS_MASK, BITS_NO_WINDOW, BITS_TRAILING_SHIFT, BITS_WINDOW_MASK, CHUNK_DATA, CHUNK_FIRST_TIME,
  CHUNK_NEXT, CHUNK_OLDER, CHUNK_ORDINAL, CLASS_BUMP, CLASS_END, CLASS_FREE, CLASS_LIVE, CLASS_WORDS, CUT_BITS, CUT_MAXT, CUT_REF,
  CUT_SAMPLES, CUT_SLAB, CUT_WORDS, DIRECTORY_HEADER_WORDS, double, FLAG_HISTOGRAM, FLAG_STALE, NOTE_BATCH, NOTE_DEPTH, NOTE_OLDER,
  NOTE_TOTAL, PART_WORDS, publish, PURPOSE_ISOLATION, PURPOSE_OPEN_CHUNKS, RETIRED_NOTES, ROOT_CLASSES,
  ROOT_SERIES_DIRECTORY, ROOT_WORDS_IN_USE, SERIES_BITS, SERIES_CHUNK_END, SERIES_LAST_TIME, SERIES_LAST_VALUE,
  SERIES_NOTE_BATCH, SERIES_NOTE_TOTAL, SERIES_OLDER_NOTES, SERIES_OPEN, SERIES_SAMPLES, SERIES_TAIL, SERIES_TIME_DELTA,
  SERIES_TOTAL,
  seriesRecord, setDouble, setWord, slabWords, STATUS_BUFFER_FULL, STATUS_CLASS_MISSING, STATUS_DONE, word,
} from "./head-layout";

const CHUNK_BYTES_BEFORE_APPEND_MAX: u32 = 1024 - 19;
const PART_CLASS: u32 = 3;
const NOTE_CLASS: u32 = 0;
const STALE: u64 = 0x7ff0000000000002;

/** Runs over the staged samples from APPEND_NEXT on; returns a status. */
export function appendStaged(control: u32): u32 {
  const count = word(control + APPEND_COUNT);
  const refs = word(control + APPEND_REFS);
  const times = word(control + APPEND_TIMES);
  const values = word(control + APPEND_VALUES);
  const batch = word(control + APPEND_BATCH);
  const perChunk = word(control + APPEND_SAMPLES_PER_CHUNK);
  const quarter = perChunk >> 2;
  const range = double(control + APPEND_CHUNK_RANGE);
  const minValidTime = double(control + APPEND_MIN_VALID_TIME);
  const directory = word(ROOT_SERIES_DIRECTORY) + DIRECTORY_HEADER_WORDS;
  let mint = double(control + APPEND_MINT);
  let maxt = double(control + APPEND_MAXT);
  let appended: u32 = 0;
  let outOfOrder: u32 = 0;
  let outOfBounds: u32 = 0;
  let stale: i32 = 0;
  let status = STATUS_DONE;
  let i = word(control + APPEND_NEXT);
  for (; i < count; i++) {
    const t = double(times + 2 * i);
    if (t < minValidTime) {
      outOfBounds++;
      continue;
    }
    const ref = word(refs + i);
    const record = seriesRecord(directory, ref);
    const lastTime = double(record + SERIES_LAST_TIME);
    const open = word(record + SERIES_OPEN);
    if (t <= lastTime) {
      if (t < lastTime && open != 0) outOfOrder++;
      continue;
    }
    if (word(control + APPEND_RETIRED_COUNT) == word(control + APPEND_RETIRED_CAPACITY)) {
      status = STATUS_BUFFER_FULL;
      break;
    }
    if (word(record + SERIES_NOTE_BATCH) != batch && !takeNote(control, record, batch)) {
      status = STATUS_CLASS_MISSING;
      break;
    }

    let bits = word(record + SERIES_BITS);
    let samples = word(record + SERIES_SAMPLES);
    let n = samples & 0xffff;
    let chunkEnd = double(record + SERIES_CHUNK_END);
    let cut = open == 0 || ((bits & BITS_MASK) + 7) >> 3 > CHUNK_BYTES_BEFORE_APPEND_MAX;
    if (!cut) {
      if (n == quarter) chunkEnd = predictEnd(double(open + CHUNK_FIRST_TIME), lastTime, chunkEnd);
      cut = t >= chunkEnd || n >= 2 * perChunk;
    }
    if (cut) {
      chunkEnd = rangeEnd(t, range);
      status = cutChunk(control, record, ref, t, chunkEnd);
      if (status != STATUS_DONE) break;
      bits = word(record + SERIES_BITS);
      samples = word(record + SERIES_SAMPLES);
      n = 0;
    }

    const value = load<u64>((<usize>(values + 2 * i)) << 2);
    const xor = value ^ load<u64>((<usize>(record + SERIES_LAST_VALUE)) << 2);
    const delta = t - lastTime;
    const dod = delta - <f64>word(record + SERIES_TIME_DELTA);
    let leading = (bits >> BITS_LEADING_SHIFT) & BITS_WINDOW_MASK;
    let trailing = (bits >> BITS_TRAILING_SHIFT) & BITS_WINDOW_MASK;
    let newWindow = false;
    let valueBits: u32 = 64;
    let timeBits: u32 = 0;
    if (n == 0) {
      timeBits = varintBits(zigzag(t));
    } else {
      timeBits = n == 1 ? varintBits(<u64>delta) : dodBits(dod);
      if (xor == 0) {
        valueBits = 1;
      } else {
        const zerosBefore = min<u32>(<u32>clz<u64>(xor), 31);
        const zerosAfter = <u32>ctz<u64>(xor);
        newWindow = leading == BITS_NO_WINDOW || zerosBefore < leading || zerosAfter < trailing;
        if (newWindow) {
          leading = zerosBefore;
          trailing = zerosAfter;
        }
        valueBits = (newWindow ? <u32>13 : <u32>2) + 64 - leading - trailing;
      }
    }
    const last = word(record + SERIES_TAIL);
    const used = bits & 31;
    const left = (PART_WORDS - 1 - (last & (PART_WORDS - 1))) * 32 + (used == 0 ? 0 : 32 - used);
    if (timeBits + valueBits > left) {
      const part = takeSlab(control, PART_CLASS, PURPOSE_OPEN_CHUNKS);
      if (part == 0) {
        status = STATUS_CLASS_MISSING;
        break;
      }
      setWord(part + CHUNK_NEXT, 0);
      publish((last & ~(PART_WORDS - 1)) + CHUNK_NEXT, part);
    }

    setTail(last);
    let bit = bits & BITS_MASK;
    if (n == 0) {
      bit = putVarintBits(bit, zigzag(t));
      bit = putBits(bit, <u32>(value >> 32), 32);
      bit = putBits(bit, <u32>value, 32);
    } else {
      bit = n == 1 ? putVarintBits(bit, <u64>delta) : putDod(bit, dod);
      if (valueBits == 1) {
        bit = putBits(bit, 0, 1);
      } else {
        const size: u32 = 64 - leading - trailing;
        bit = newWindow
          ? putBits(bit, (0b11 << 11) | (leading << 6) | (size & 63), 13)
          : putBits(bit, 0b10, 2);
        const significant = xor >> trailing;
        if (size > 32) bit = putBits(bit, <u32>(significant >> 32), size - 32);
        bit = putBits(bit, <u32>significant, min<u32>(size, 32));
      }
      setWord(record + SERIES_TIME_DELTA, <u32>delta);
    }

    setWord(record + SERIES_TAIL, tail);
    setWord(record + SERIES_BITS, bit | (leading << BITS_LEADING_SHIFT) | (trailing << BITS_TRAILING_SHIFT));
    const isStale = value == STALE;
    if (isStale != ((samples & FLAG_STALE) != 0)) {
      samples ^= FLAG_STALE;
      stale += isStale ? 1 : -1;
    }
    setWord(record + SERIES_SAMPLES, (samples & ~0xffff) | (n + 1));
    store<u64>((<usize>(record + SERIES_LAST_VALUE)) << 2, value);
    setDouble(record + SERIES_LAST_TIME, t);
    setDouble(record + SERIES_CHUNK_END, chunkEnd);
    publish(record + SERIES_TOTAL, word(record + SERIES_TOTAL) + 1);
    if (t < mint) mint = t;
    if (t > maxt) maxt = t;
    appended++;
  }
  setWord(control + APPEND_NEXT, i);
  setWord(control + APPEND_APPENDED, word(control + APPEND_APPENDED) + appended);
  setWord(control + APPEND_OUT_OF_ORDER, word(control + APPEND_OUT_OF_ORDER) + outOfOrder);
  setWord(control + APPEND_OUT_OF_BOUNDS, word(control + APPEND_OUT_OF_BOUNDS) + outOfBounds);
  setWord(control + APPEND_STALE_SERIES, word(control + APPEND_STALE_SERIES) + stale);
  setDouble(control + APPEND_MINT, mint);
  setDouble(control + APPEND_MAXT, maxt);
  return status;
}

/** A slab of a class; 0 when it has run out, with the class left in the control block. */
function takeSlab(control: u32, index: u32, purpose: u32): u32 {
  const entry = ROOT_CLASSES + index * CLASS_WORDS;
  let at = word(entry + CLASS_FREE);
  if (at != 0) {
    setWord(entry + CLASS_FREE, word(at));
  } else {
    at = word(entry + CLASS_BUMP);
    if (at == word(entry + CLASS_END)) {
      setWord(control + APPEND_MISSING_CLASS, index);
      return 0;
    }
    setWord(entry + CLASS_BUMP, at + slabWords(index));
  }
  setWord(entry + CLASS_LIVE, word(entry + CLASS_LIVE) + 1);
  setWord(ROOT_WORDS_IN_USE + purpose, word(ROOT_WORDS_IN_USE + purpose) + slabWords(index));
  return at;
}

function retire(control: u32, at: u32, kind: u32): void {
  const count = word(control + APPEND_RETIRED_COUNT);
  const entry = word(control + APPEND_RETIRED) + 2 * count;
  setWord(control + APPEND_RETIRED_COUNT, count + 1);
  setWord(entry, at);
  setWord(entry + 1, kind);
}

/** Notes the total before the batch; false when there is no slab for an older note. */
function takeNote(control: u32, record: u32, batch: u32): bool {
  const watermark = word(control + APPEND_WATERMARK);
  const noted = word(record + SERIES_NOTE_BATCH);
  const older = word(record + SERIES_OLDER_NOTES);
  if (noted != 0 && <i32>(noted - watermark) > 0) {
    const note = takeSlab(control, NOTE_CLASS, PURPOSE_ISOLATION);
    if (note == 0) return false;
    setWord(note + NOTE_BATCH, noted);
    setWord(note + NOTE_TOTAL, word(record + SERIES_NOTE_TOTAL));
    setWord(note + NOTE_OLDER, older);
    const depth = older == 0 ? 0 : word(older + NOTE_DEPTH) + 1;
    setWord(note + NOTE_DEPTH, depth);
    if ((depth & 15) == 15) dropObsolete(control, note, watermark);
    publish(record + SERIES_OLDER_NOTES, note);
  } else if (older != 0) {
    publish(record + SERIES_OLDER_NOTES, 0);
    retire(control, older, RETIRED_NOTES);
  }
  publish(record + SERIES_NOTE_TOTAL, word(record + SERIES_TOTAL));
  publish(record + SERIES_NOTE_BATCH, batch);
  return true;
}

/** Ends the chain before the first note that no reader needs. */
function dropObsolete(control: u32, note: u32, watermark: u32): void {
  let last = note;
  while (true) {
    const older = word(last + NOTE_OLDER);
    if (older == 0) return;
    if (<i32>(word(older + NOTE_BATCH) - watermark) <= 0) {
      publish(last + NOTE_OLDER, 0);
      retire(control, older, RETIRED_NOTES);
      return;
    }
    last = older;
  }
}

/** Begins a new open chunk at time `t`; the one before stays reachable from it until it is in a file. */
function cutChunk(control: u32, record: u32, ref: u32, t: f64, chunkEnd: f64): u32 {
  const open = word(record + SERIES_OPEN);
  const cutCount = word(control + APPEND_CUT_COUNT);
  if (open != 0 && cutCount == word(control + APPEND_CUT_CAPACITY)) return STATUS_BUFFER_FULL;
  const slab = takeSlab(control, PART_CLASS, PURPOSE_OPEN_CHUNKS);
  if (slab == 0) return STATUS_CLASS_MISSING;
  const samples = word(record + SERIES_SAMPLES);
  if (open != 0) {
    const entry = word(control + APPEND_CUTS) + cutCount * CUT_WORDS;
    setWord(entry + CUT_REF, ref);
    setWord(entry + CUT_SLAB, open);
    setWord(entry + CUT_BITS, word(record + SERIES_BITS) & BITS_MASK);
    setWord(entry + CUT_SAMPLES, samples & 0xffff);
    setDouble(entry + CUT_MAXT, double(record + SERIES_LAST_TIME));
    setWord(control + APPEND_CUT_COUNT, cutCount + 1);
  }
  setWord(slab + CHUNK_NEXT, 0);
  setWord(slab + CHUNK_ORDINAL, word(record + SERIES_TOTAL));
  setWord(slab + CHUNK_OLDER, open);
  setDouble(slab + CHUNK_FIRST_TIME, t);
  setWord(slab + CHUNK_DATA, 0);
  setWord(record + SERIES_TAIL, slab + CHUNK_DATA);
  setWord(record + SERIES_BITS, 16 | (BITS_NO_WINDOW << BITS_LEADING_SHIFT));
  setWord(record + SERIES_SAMPLES, samples & ~0xffff & ~FLAG_HISTOGRAM);
  setDouble(record + SERIES_CHUNK_END, chunkEnd);
  publish(record + SERIES_OPEN, slab);
  setWord(control + APPEND_CHUNKS_CREATED, word(control + APPEND_CHUNKS_CREATED) + 1);
  return STATUS_DONE;
}

/** t - (t % range) + range; times are whole numbers within ±2^53. */
@inline
function rangeEnd(t: f64, range: f64): f64 {
  return <f64>(<i64>t - (<i64>t % <i64>range)) + range;
}

/** When a chunk that is a quarter full should end, so that the chunks up to `end` become equally long. */
function predictEnd(start: f64, current: f64, end: f64): f64 {
  const chunks = (end - start) / ((current - start + 1) * 4);
  return chunks <= 1 ? end : trunc<f64>(start + (end - start) / floor<f64>(chunks));
}

@inline
function zigzag(t: f64): u64 {
  const whole = <i64>t;
  return <u64>((whole << 1) ^ (whole >> 63));
}

@inline
function dodBits(dod: f64): u32 {
  if (dod == 0) return 1;
  if (dod >= -8191 && dod <= 8192) return 16;
  if (dod >= -65535 && dod <= 65536) return 20;
  return dod >= -524287 && dod <= 524288 ? 24 : 68;
}

@inline
function putDod(bit: u32, dod: f64): u32 {
  if (dod == 0) return putBits(bit, 0, 1);
  const whole = <i64>dod;
  if (dod >= -8191 && dod <= 8192) return putBits(bit, (0b10 << 14) | (<u32>whole & 0x3fff), 16);
  if (dod >= -65535 && dod <= 65536) return putBits(bit, (0b110 << 17) | (<u32>whole & 0x1ffff), 20);
  if (dod >= -524287 && dod <= 524288) return putBits(bit, (0b1110 << 20) | (<u32>whole & 0xfffff), 24);
  bit = putBits(bit, 0b1111, 4);
  bit = putBits(bit, <u32>(whole >> 32), 32);
  return putBits(bit, <u32>whole, 32);
}
