/**
 * Appends the staged samples of a batch to the open chunks: the hottest loop of the writer. TypeScript twin of the
 * append kernel in `assembly/`; docs/formats/head-memory.md has the records, section 6 the rules.
 *
 * Stops when memory has to be found for a size class or a buffer has to be emptied, and is then called again; all that
 * is needed to go on at the same sample is stored.
 */
import { putBits, putVarintBits, setTail, tail, varintBits } from "./bit-words.ts";
import {
  Append,
  AppendStatus,
  Bits,
  Chunk,
  ChunkPart,
  Class,
  Cut,
  classWords,
  directoryHeaderWords,
  Note,
  Purpose,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  retiredNotes,
  Series,
  SeriesFlag,
} from "./head-layout.ts";

/** Prometheus's MaxBytesPerXORChunkBeforeAppend: a chunk with more takes no further sample. */
const chunkBytesBeforeAppendMax = 1024 - 19;
/** The class of 16 words, the size of a part. */
const partClass = 3;
const noteClass = 0;
const staleHigh = 0x7ff00000;
const staleLow = 2;

/** Runs over the staged samples from Append.next on; returns an AppendStatus. */
export function appendStaged(words: Uint32Array, doubles: Float64Array, control: number): number {
  const count = words[control + Append.count];
  const refs = words[control + Append.refs];
  const times = words[control + Append.times] >> 1;
  const values = words[control + Append.values];
  const batch = words[control + Append.batch];
  const perChunk = words[control + Append.samplesPerChunk];
  const quarter = perChunk >>> 2;
  const range = doubles[(control + Append.chunkRange) >> 1];
  const minValidTime = doubles[(control + Append.minValidTime) >> 1];
  const directory = words[Root.seriesDirectory] + directoryHeaderWords;
  let mint = doubles[(control + Append.mint) >> 1];
  let maxt = doubles[(control + Append.maxt) >> 1];
  let appended = 0;
  let outOfOrder = 0;
  let outOfBounds = 0;
  let stale = 0;
  let status: number = AppendStatus.done;
  let i = words[control + Append.next];
  for (; i < count; i++) {
    const t = doubles[times + i];
    if (t < minValidTime) {
      outOfBounds++;
      continue;
    }
    const ref = words[refs + i];
    const record =
      words[directory + (ref >>> recordsPerPageBits)] + (ref & (recordsPerPage - 1)) * Series.words;
    const lastTime = doubles[(record + Series.lastTime) >> 1];
    const open = words[record + Series.open];
    if (t <= lastTime) {
      // A duplicate, of whatever value, is dropped without being counted, as Prometheus does at this point.
      if (t < lastTime && open !== 0) outOfOrder++;
      continue;
    }
    if (words[control + Append.retiredCount] === words[control + Append.retiredCapacity]) {
      status = AppendStatus.bufferFull;
      break;
    }
    if (words[record + Series.noteBatch] !== batch && !takeNote(words, control, record, batch)) {
      status = AppendStatus.classMissing;
      break;
    }

    let bits = words[record + Series.bits];
    let samples = words[record + Series.samples];
    let n = samples & 0xffff;
    let chunkEnd = doubles[(record + Series.chunkEnd) >> 1];
    let cut = open === 0 || ((bits & Bits.mask) + 7) >>> 3 > chunkBytesBeforeAppendMax;
    if (!cut) {
      if (n === quarter) chunkEnd = predictEnd(doubles[(open + Chunk.firstTime) >> 1], lastTime, chunkEnd);
      cut = t >= chunkEnd || n >= 2 * perChunk;
    }
    if (cut) {
      status = cutChunk(words, doubles, control, record, ref, t);
      if (status !== AppendStatus.done) break;
      bits = words[record + Series.bits];
      samples = words[record + Series.samples];
      n = 0;
      chunkEnd = t - (t % range) + range;
    }

    // What it takes, before anything is written: another part may be needed.
    const low = words[values + 2 * i];
    const high = words[values + 2 * i + 1];
    const xorLow = low ^ words[record + Series.lastValue];
    const xorHigh = high ^ words[record + Series.lastValue + 1];
    const delta = t - lastTime;
    const dod = delta - words[record + Series.timeDelta];
    let leading = (bits >>> Bits.leadingShift) & Bits.windowMask;
    let trailing = (bits >>> Bits.trailingShift) & Bits.windowMask;
    let newWindow = false;
    let valueBits = 64;
    let timeBits = 0;
    if (n === 0) {
      timeBits = varintBits(t >= 0 ? t * 2 : -t * 2 - 1);
    } else {
      timeBits = n === 1 ? varintBits(delta) : dodBits(dod);
      if ((xorLow | xorHigh) === 0) {
        valueBits = 1;
      } else {
        const zerosBefore = xorHigh === 0 ? 31 : Math.min(Math.clz32(xorHigh), 31);
        const zerosAfter =
          xorLow === 0 ? 63 - Math.clz32(xorHigh & -xorHigh) : 31 - Math.clz32(xorLow & -xorLow);
        newWindow = leading === Bits.noWindow || zerosBefore < leading || zerosAfter < trailing;
        if (newWindow) {
          leading = zerosBefore;
          trailing = zerosAfter;
        }
        valueBits = (newWindow ? 13 : 2) + 64 - leading - trailing;
      }
    }
    const last = words[record + Series.tail];
    const used = bits & 31;
    const left = (ChunkPart.words - 1 - (last & (ChunkPart.words - 1))) * 32 + (used === 0 ? 0 : 32 - used);
    if (timeBits + valueBits > left) {
      const part = takeSlab(words, control, partClass, Purpose.openChunks);
      if (part === 0) {
        status = AppendStatus.classMissing;
        break;
      }
      words[part + Chunk.next] = 0;
      Atomics.store(words, (last & ~(ChunkPart.words - 1)) + Chunk.next, part);
    }

    setTail(last);
    let bit = bits & Bits.mask;
    if (n === 0) {
      bit = putVarintBits(words, bit, t >= 0 ? t * 2 : -t * 2 - 1);
      bit = putBits(words, bit, high, 32);
      bit = putBits(words, bit, low, 32);
    } else {
      bit = n === 1 ? putVarintBits(words, bit, delta) : putDod(words, bit, dod);
      if (valueBits === 1) bit = putBits(words, bit, 0, 1);
      else {
        const size = 64 - leading - trailing;
        bit = newWindow
          ? putBits(words, bit, (0b11 << 11) | (leading << 6) | (size & 63), 13)
          : putBits(words, bit, 0b10, 2);
        bit = putSignificant(words, bit, xorHigh, xorLow, size, trailing);
      }
      words[record + Series.timeDelta] = delta;
    }

    words[record + Series.tail] = tail;
    words[record + Series.bits] = bit | (leading << Bits.leadingShift) | (trailing << Bits.trailingShift);
    const isStale = low === staleLow && high === staleHigh;
    const wasStale = (samples & SeriesFlag.stale) !== 0;
    if (isStale !== wasStale) {
      samples ^= SeriesFlag.stale;
      stale += isStale ? 1 : -1;
    }
    words[record + Series.samples] = (samples & ~0xffff) | (n + 1);
    words[record + Series.lastValue] = low;
    words[record + Series.lastValue + 1] = high;
    doubles[(record + Series.lastTime) >> 1] = t;
    doubles[(record + Series.chunkEnd) >> 1] = chunkEnd;
    Atomics.store(words, record + Series.total, words[record + Series.total] + 1);
    if (t < mint) mint = t;
    if (t > maxt) maxt = t;
    appended++;
  }
  words[control + Append.next] = i;
  words[control + Append.appended] += appended;
  words[control + Append.outOfOrder] += outOfOrder;
  words[control + Append.outOfBounds] += outOfBounds;
  words[control + Append.staleSeries] += stale;
  doubles[(control + Append.mint) >> 1] = mint;
  doubles[(control + Append.maxt) >> 1] = maxt;
  return status;
}

/** A slab of a class; 0 when it has run out, with the class left in the control block. */
function takeSlab(words: Uint32Array, control: number, index: number, purpose: Purpose): number {
  const entry = Root.classes + index * Class.words;
  let at = words[entry + Class.free];
  if (at !== 0) {
    words[entry + Class.free] = words[at];
  } else {
    at = words[entry + Class.bump];
    if (at === words[entry + Class.end]) {
      words[control + Append.missingClass] = index;
      return 0;
    }
    words[entry + Class.bump] = at + classWords[index];
  }
  words[entry + Class.live]++;
  words[Root.wordsInUse + purpose] += classWords[index];
  return at;
}

function retire(words: Uint32Array, control: number, at: number, kind: number): void {
  const entry = words[control + Append.retired] + 2 * words[control + Append.retiredCount]++;
  words[entry] = at;
  words[entry + 1] = kind;
}

/** Notes the total before the batch (section 5 of the page); false when there is no slab for an older note. */
export function takeNote(words: Uint32Array, control: number, record: number, batch: number): boolean {
  const watermark = words[control + Append.watermark];
  const noted = words[record + Series.noteBatch];
  const older = words[record + Series.olderNotes];
  if (noted !== 0 && ((noted - watermark) | 0) > 0) {
    const note = takeSlab(words, control, noteClass, Purpose.isolation);
    if (note === 0) return false;
    words[note + Note.batch] = noted;
    words[note + Note.total] = words[record + Series.noteTotal];
    words[note + Note.older] = older;
    const depth = older === 0 ? 0 : words[older + Note.depth] + 1;
    words[note + Note.depth] = depth;
    // The walk is as long as the chain: now and then is enough.
    if ((depth & 15) === 15) dropObsolete(words, control, note, watermark);
    Atomics.store(words, record + Series.olderNotes, note);
  } else if (older !== 0) {
    Atomics.store(words, record + Series.olderNotes, 0);
    retire(words, control, older, retiredNotes);
  }
  Atomics.store(words, record + Series.noteTotal, words[record + Series.total]);
  Atomics.store(words, record + Series.noteBatch, batch);
  return true;
}

/** Ends the chain before the first note that no reader needs. */
function dropObsolete(words: Uint32Array, control: number, note: number, watermark: number): void {
  for (let last = note; ; ) {
    const older = words[last + Note.older];
    if (older === 0) return;
    if (((words[older + Note.batch] - watermark) | 0) <= 0) {
      Atomics.store(words, last + Note.older, 0);
      retire(words, control, older, retiredNotes);
      return;
    }
    last = older;
  }
}

/** Begins a new open chunk at time `t`; the one before stays reachable from it until it is in a file. */
function cutChunk(
  words: Uint32Array,
  doubles: Float64Array,
  control: number,
  record: number,
  ref: number,
  t: number,
): number {
  const open = words[record + Series.open];
  const cutCount = words[control + Append.cutCount];
  if (open !== 0 && cutCount === words[control + Append.cutCapacity]) return AppendStatus.bufferFull;
  const slab = takeSlab(words, control, partClass, Purpose.openChunks);
  if (slab === 0) return AppendStatus.classMissing;
  const samples = words[record + Series.samples];
  if (open !== 0) {
    const entry = words[control + Append.cuts] + cutCount * Cut.words;
    words[entry + Cut.ref] = ref;
    words[entry + Cut.slab] = open;
    words[entry + Cut.bits] = words[record + Series.bits] & Bits.mask;
    words[entry + Cut.samples] = samples & 0xffff;
    doubles[(entry + Cut.maxt) >> 1] = doubles[(record + Series.lastTime) >> 1];
    words[control + Append.cutCount] = cutCount + 1;
  }
  words[slab + Chunk.next] = 0;
  words[slab + Chunk.ordinal] = words[record + Series.total];
  words[slab + Chunk.older] = open;
  doubles[(slab + Chunk.firstTime) >> 1] = t;
  words[slab + Chunk.data] = 0;
  words[record + Series.tail] = slab + Chunk.data;
  words[record + Series.bits] = 16 | (Bits.noWindow << Bits.leadingShift);
  words[record + Series.samples] = samples & ~0xffff & ~SeriesFlag.histogram;
  const range = doubles[(control + Append.chunkRange) >> 1];
  doubles[(record + Series.chunkEnd) >> 1] = t - (t % range) + range;
  Atomics.store(words, record + Series.open, slab);
  words[control + Append.chunksCreated]++;
  return AppendStatus.done;
}

/**
 * When a chunk that is a quarter full should end, so that the chunks up to `end` become equally long. As Prometheus, in
 * doubles and cut to an integer.
 */
export function predictEnd(start: number, current: number, end: number): number {
  const chunks = (end - start) / ((current - start + 1) * 4);
  return chunks <= 1 ? end : Math.trunc(start + (end - start) / Math.floor(chunks));
}

function dodBits(dod: number): number {
  if (dod === 0) return 1;
  if (dod >= -8191 && dod <= 8192) return 16;
  if (dod >= -65535 && dod <= 65536) return 20;
  return dod >= -524287 && dod <= 524288 ? 24 : 68;
}

function putDod(words: Uint32Array, bit: number, dod: number): number {
  if (dod === 0) return putBits(words, bit, 0, 1);
  if (dod >= -8191 && dod <= 8192) return putBits(words, bit, (0b10 << 14) | (dod & 0x3fff), 16);
  if (dod >= -65535 && dod <= 65536) return putBits(words, bit, (0b110 << 17) | (dod & 0x1ffff), 20);
  if (dod >= -524287 && dod <= 524288) return putBits(words, bit, (0b1110 << 20) | (dod & 0xfffff), 24);
  bit = putBits(words, bit, 0b1111, 4);
  bit = putBits(words, bit, Math.floor(dod / 0x100000000) >>> 0, 32);
  return putBits(words, bit, dod >>> 0, 32);
}

/** The `size` bits of (high, low) in front of `trailing` zeros. */
function putSignificant(
  words: Uint32Array,
  bit: number,
  high: number,
  low: number,
  size: number,
  trailing: number,
): number {
  if (trailing >= 32) return putBits(words, bit, high >>> (trailing - 32), size);
  // high << 32 is a no-op in JavaScript: the shift by 32 - trailing goes in two steps.
  const lower = (low >>> trailing) | ((high << 1) << (31 - trailing));
  if (size <= 32) return putBits(words, bit, size === 32 ? lower : lower & ((1 << size) - 1), size);
  bit = putBits(words, bit, high >>> trailing, size - 32);
  return putBits(words, bit, lower, 32);
}
