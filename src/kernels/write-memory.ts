/**
 * The part of the head's shared memory in which remote-write requests are taken apart, with views of it: the compressed
 * body, the message, the columns of its samples. Used again for request after request, so that a request leaves no
 * garbage; what a huge one needed is given back after it. The writer's alone.
 *
 * decode → scan → (create what is unknown) → use the columns; all is valid until the next decode.
 */
import { NarthexError } from "../base/errors.ts";
import type { HeadKernel } from "./head-kernel.ts";
import { Root, Segment, segmentCount } from "./head-layout.ts";
import { snappySlackBytes } from "./snappy-decode.ts";
import { Scan, ScanStatus, Unknown } from "./write-layout.ts";

/** Where the memory comes from; `alloc` throws a NarthexError when there is none left. */
export interface WordAllocator {
  alloc(words: number): number;
  free(at: number): void;
}

/** What is kept for the next request: of the body and the message, and in samples. */
const keptBytesMax = 2 * 1024 * 1024;
const keptSamplesMax = 65536;
const bytesMin = 64 * 1024;
const samplesMin = 4096;
/** Requests with more are left to the decoder of remote/. */
const samplesMax = 1 << 20;
const successorsMin = 4096;

export class WriteMemory {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #kernel: HeadKernel;
  readonly #memory: WordAllocator;
  #control = 0;
  #body = 0;
  #bodyView: Uint8Array = new Uint8Array(0);
  #message = 0;
  /** The message's room as bytes; the first {@link messageBytes} of them are the message. */
  message: Uint8Array = new Uint8Array(0);
  messageBytes = 0;
  #columns = 0;
  /** Of the samples, parallel; the first {@link samples} are filled. */
  refs: Uint32Array = new Uint32Array(0);
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** A byte for each sample, for whoever judges them. */
  outcomes: Uint8Array = new Uint8Array(0);
  #unknown = 0;
  #lastRefSeen = 0;

  /** `words` and `doubles` are the whole memory of the head, which the kernels were made for. */
  constructor(words: Uint32Array, doubles: Float64Array, kernel: HeadKernel, memory: WordAllocator) {
    this.#words = words;
    this.#doubles = doubles;
    this.#kernel = kernel;
    this.#memory = memory;
  }

  get samples(): number {
    return this.#words[this.#control + Scan.samples];
  }

  /** The latest time in the request; -Infinity without samples. */
  get maxTime(): number {
    return this.#doubles[(this.#control + Scan.maxt) >> 1];
  }

  /**
   * Decompresses a snappy block of `declared` bytes, as it says itself, into {@link message}. False where that is no
   * such block, or no memory is left for it.
   */
  decode(body: Uint8Array, declared: number): boolean {
    this.#shrink();
    if (!enough(() => this.#reserveBytes(body.length, declared))) return false;
    this.#bodyView.set(body);
    this.messageBytes = this.#kernel.snappyDecode(this.#body, body.length, this.#message, declared);
    return this.messageBytes >= 0;
  }

  /** A copy of the message, for those who want to keep it or cannot read shared memory. */
  copyMessage(): Uint8Array {
    return this.message.slice(0, this.messageBytes);
  }

  /** Fills the columns; false where the message is not of the usual form, or no memory is left for them. */
  scan(): boolean {
    const words = this.#words;
    const control = this.#control;
    // Fewer guesses are right in a table that could not grow; nothing else suffers.
    if (!enough(() => this.#reserveSuccessors()) && words[control + Scan.successors] === 0) return false;
    words[control + Scan.message] = this.#message;
    words[control + Scan.messageBytes] = this.messageBytes;
    for (;;) {
      const status = this.#kernel.scanWriteRequest(control);
      if (status !== ScanStatus.full) return status === ScanStatus.usual;
      const more = Math.max(samplesMin, this.refs.length * 2);
      if (more > samplesMax || !enough(() => this.#reserveSamples(more))) return false;
    }
  }

  /** Has series created that the head does not know, in order, and puts their refs into the columns. */
  createUnknown(create: (bytes: Uint8Array, start: number, end: number) => number): void {
    const words = this.#words;
    const entries = this.#unknown;
    const end = entries + Unknown.words * words[this.#control + Scan.unknownCount];
    for (let entry = entries; entry < end; entry += Unknown.words) {
      const ref = create(this.message, words[entry + Unknown.start], words[entry + Unknown.end]);
      const last = words[entry + Unknown.endSample];
      for (let i = words[entry + Unknown.firstSample]; i < last; i++) this.refs[i] = ref;
    }
  }

  /** Takes the samples of series out that `createUnknown` gave the ref `refused`; returns how many are left. */
  drop(refused: number): number {
    const { refs, times, samples } = this;
    const values = new Uint32Array(this.values.buffer, this.values.byteOffset, 2 * samples);
    let kept = 0;
    for (let i = 0; i < samples; i++) {
      if (refs[i] === refused) continue;
      refs[kept] = refs[i];
      times[kept] = times[i];
      values[2 * kept] = values[2 * i];
      values[2 * kept + 1] = values[2 * i + 1];
      kept++;
    }
    return kept;
  }

  #reserveBytes(bodyBytes: number, messageBytes: number): void {
    if (this.#control === 0) this.#control = this.#allocZeroed(Scan.words);
    if (this.#bodyView.length < bodyBytes) {
      const size = roundUp(bodyBytes, bytesMin);
      this.#body = this.#replace(this.#body, size / 4);
      this.#bodyView = new Uint8Array(this.#words.buffer, this.#body * 4, size);
    }
    if (this.message.length < messageBytes) {
      const size = roundUp(messageBytes + snappySlackBytes, bytesMin);
      this.#message = this.#replace(this.#message, size / 4);
      this.message = new Uint8Array(this.#words.buffer, this.#message * 4, size - snappySlackBytes);
    }
  }

  #reserveSamples(count: number): void {
    const words = this.#words;
    const control = this.#control;
    // Two words each of time, value and an unknown series' entry twice that; a word for the ref, a byte for the outcome.
    const wordsPerSample = 2 + 2 + Unknown.words + 1;
    this.#columns = this.#replace(this.#columns, count * wordsPerSample + count / 4);
    const times = this.#columns;
    const values = times + 2 * count;
    this.#unknown = values + 2 * count;
    const refs = this.#unknown + Unknown.words * count;
    words[control + Scan.times] = times;
    words[control + Scan.values] = values;
    words[control + Scan.unknown] = this.#unknown;
    words[control + Scan.refs] = refs;
    words[control + Scan.capacity] = count;
    const { buffer } = words;
    this.times = new Float64Array(buffer, times * 4, count);
    this.values = new Float64Array(buffer, values * 4, count);
    this.refs = new Uint32Array(buffer, refs * 4, count);
    this.outcomes = new Uint8Array(buffer, (refs + count) * 4, count);
  }

  /** Room for about twice as many guesses as there are series. */
  #reserveSuccessors(): void {
    const words = this.#words;
    const lastRef = words[Root.lastRef];
    if (this.#lastRefSeen === lastRef && lastRef !== 0) return;
    let series = 0;
    for (let i = 0; i < segmentCount; i++) {
      series += words[Root.indexSegments + i * Segment.words + Segment.count];
    }
    const control = this.#control;
    const old = words[control + Scan.successors];
    const oldSize = old === 0 ? 0 : words[control + Scan.successorMask] + 1;
    if (oldSize >= series && oldSize > 0) {
      this.#lastRefSeen = lastRef;
      return;
    }
    let size = successorsMin;
    while (size < series * 2) size *= 2;
    const successors = this.#allocZeroed(size);
    // Each guess to all places where it may be looked for.
    for (let at = 0; at < size && oldSize > 0; at += oldSize) {
      words.copyWithin(successors + at, old, old + oldSize);
    }
    words[control + Scan.successors] = successors;
    words[control + Scan.successorMask] = size - 1;
    if (old !== 0) this.#memory.free(old);
  }

  #shrink(): void {
    if (this.#bodyView.length > keptBytesMax) {
      this.#memory.free(this.#body);
      this.#body = 0;
      this.#bodyView = new Uint8Array(0);
    }
    if (this.message.length > keptBytesMax) {
      this.#memory.free(this.#message);
      this.#message = 0;
      this.message = new Uint8Array(0);
    }
    if (this.refs.length > keptSamplesMax) enough(() => this.#reserveSamples(samplesMin));
  }

  /** Other memory instead of that at `old`, whose content is not needed. */
  #replace(old: number, words: number): number {
    const at = this.#memory.alloc(words);
    if (old !== 0) this.#memory.free(old);
    return at;
  }

  #allocZeroed(words: number): number {
    const at = this.#memory.alloc(words);
    this.#words.fill(0, at, at + words);
    return at;
  }
}

/** Whether what was tried found the memory it needs. */
function enough(reserve: () => void): boolean {
  try {
    reserve();
    return true;
  } catch (error) {
    if (error instanceof NarthexError) return false;
    throw error;
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
