/**
 * Reader slots: by them the writer knows what readers may still hold, and which batch they read as of
 * (docs/formats/head-memory.md, section 4).
 */
import { assert } from "../../base/assert.ts";
import { QueryError } from "../../base/errors.ts";
import { Root, Slot, State, StateFlag } from "../../kernels/head-layout.ts";
import type { HeadMemory } from "./memory.ts";

/** How much later batch `a` is than batch `b`; they wrap. */
export function batchesAfter(a: number, b: number): number {
  return (a - b) | 0;
}

/** The number after `batch`; 0 is skipped. */
export function nextBatch(batch: number): number {
  return (batch + 1) >>> 0 || 1;
}

/** The state of the head that a reader sees. */
export interface VisibleState {
  /** The batch read as of. */
  readonly batch: number;
  readonly lastRef: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** No out-of-order sample is older; Infinity where there are none. */
  readonly lateMinTime: number;
  /** Whether anything was ever appended. */
  readonly initialized: boolean;
}

/** The owner of slots of readers that no thread has to account for. */
export const nobody = 0xffffffff;

/** A reader's hold on the head. */
export class ReaderPin {
  readonly state: VisibleState;
  readonly #words: Uint32Array;
  readonly #slot: number;

  private constructor(words: Uint32Array, slot: number, state: VisibleState) {
    this.#words = words;
    this.#slot = slot;
    this.state = state;
  }

  /** `owner` is a number of the thread, not 0, for {@link releaseOwner}. */
  static open(memory: HeadMemory, owner = nobody): ReaderPin {
    assert(owner !== 0, "a reader slot needs an owner");
    const { words } = memory;
    const slot = claim(words, owner);
    const first = Atomics.load(words, Root.committed);
    Atomics.store(words, slot + Slot.opened, first);
    Atomics.store(words, slot + Slot.pinned, first);
    return new ReaderPin(words, slot, loadState(memory));
  }

  /** Whether memory may still be read. */
  get isPinned(): boolean {
    return Atomics.load(this.#words, this.#slot + Slot.pinned) !== 0;
  }

  /** From here on the head's memory must not be read through this pin; files still may. Idempotent. */
  unpin(): void {
    Atomics.store(this.#words, this.#slot + Slot.pinned, 0);
  }

  /** Gives the slot back. To be called once. */
  close(): void {
    vacate(this.#words, this.#slot);
  }
}

/** By the owner's number, so that there is no moment at which a slot is taken and nobody knows by whom. */
function claim(words: Uint32Array, owner: number): number {
  for (let i = 0; i < Slot.count; i++) {
    const slot = Root.slots + i * Slot.words;
    if (Atomics.compareExchange(words, slot + Slot.owner, 0, owner) !== 0) continue;
    for (let used = Atomics.load(words, Root.slotsUsed); used <= i; ) {
      used = Atomics.compareExchange(words, Root.slotsUsed, used, i + 1);
    }
    return slot;
  }
  throw new QueryError(
    "unavailable",
    `more than ${Slot.count} queries read the head at once; try again later`,
  );
}

/** The owner last: from then on the slot is another reader's. */
function vacate(words: Uint32Array, slot: number): void {
  Atomics.store(words, slot + Slot.pinned, 0);
  Atomics.store(words, slot + Slot.opened, 0);
  Atomics.store(words, slot + Slot.owner, 0);
}

/** The state as of the last commit. */
export function loadState(memory: HeadMemory): VisibleState {
  const { words } = memory;
  for (;;) {
    const batch = Atomics.load(words, Root.committed);
    const at = Root.states + (batch & 1) * State.words;
    const lastRef = Atomics.load(words, at + State.lastRef);
    const flags = Atomics.load(words, at + State.flags);
    const minTime = loadDouble(words, at + State.minTime);
    const maxTime = loadDouble(words, at + State.maxTime);
    const lateMinTime = loadDouble(words, at + State.lateMinTime);
    if (Atomics.load(words, Root.committed) !== batch) continue;
    const initialized = (flags & StateFlag.initialized) !== 0;
    return { batch, lastRef, minTime, maxTime, lateMinTime, initialized };
  }
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

/** In order with the loads around it, which a plain read of a double need not be. */
function loadDouble(words: Uint32Array, at: number): number {
  doubleWords[0] = Atomics.load(words, at);
  doubleWords[1] = Atomics.load(words, at + 1);
  return double[0];
}

/** The writer's side: the oldest batch that `field` of any slot names, the committed one if there is none. */
export function oldestBatch(words: Uint32Array, field: typeof Slot.pinned | typeof Slot.opened): number {
  let oldest = words[Root.committed];
  const used = Atomics.load(words, Root.slotsUsed);
  for (let i = 0; i < used; i++) {
    const batch = Atomics.load(words, Root.slots + i * Slot.words + field);
    if (batch !== 0 && batchesAfter(oldest, batch) > 0) oldest = batch;
  }
  return oldest;
}

/** Frees the slots of a thread that died, at whatever point of opening or closing. Returns how many there were. */
export function releaseOwner(memory: HeadMemory, owner: number): number {
  const { words } = memory;
  let released = 0;
  for (let i = 0; i < Slot.count; i++) {
    const slot = Root.slots + i * Slot.words;
    if (Atomics.load(words, slot + Slot.owner) !== owner) continue;
    vacate(words, slot);
    released++;
  }
  return released;
}
