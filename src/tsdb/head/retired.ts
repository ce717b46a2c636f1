/**
 * Memory that is no longer reachable but that a reader may still hold: a queue, freed once no reader is pinned before
 * the batch in which it was retired (docs/formats/head-memory.md, section 4). The writer's alone.
 */
import { Chunk, Note, Purpose, Root, retiredNotes, Slot } from "../../kernels/head-layout.ts";
import type { Arena } from "./arena.ts";
import { batchesAfter, nextBatch, oldestBatch } from "./epochs.ts";
import type { HeadMemory } from "./memory.ts";

/** What a queue entry is: a purpose of memory, retiredNotes, or this. */
const pairId = retiredNotes + 1;
const openChunk = retiredNotes + 2;

const entryWords = 3;

export class Retired {
  readonly #memory: HeadMemory;
  readonly #arena: Arena;
  /** (batch, offset or id, purpose or kind), from #first on. */
  #queue = new Uint32Array(1024 * entryWords);
  #first = 0;
  #end = 0;
  #onPairId: (id: number) => void = () => {};

  constructor(memory: HeadMemory, arena: Arena) {
    this.#memory = memory;
    this.#arena = arena;
  }

  /** Who takes pair ids that may be used again. */
  set onPairId(take: (id: number) => void) {
    this.#onPairId = take;
  }

  /** How many things wait. */
  get waiting(): number {
    return (this.#end - this.#first) / entryWords;
  }

  /** A slab or run. */
  memory(at: number, purpose: Purpose): void {
    this.#add(at, purpose);
  }

  /** Isolation notes, from `at` along their links. */
  notes(at: number): void {
    this.#add(at, retiredNotes);
  }

  /** An open chunk with all its parts. */
  chunk(at: number): void {
    this.#add(at, openChunk);
  }

  pair(id: number): void {
    this.#add(id, pairId);
  }

  /** Frees what was retired in batches that no pinned reader is before. To be called after a commit. */
  free(): void {
    if (this.#first === this.#end) return;
    const oldest = oldestBatch(this.#memory.words, Slot.pinned);
    const queue = this.#queue;
    while (this.#first < this.#end) {
      if (batchesAfter(queue[this.#first], oldest) > 0 && !this.#memory.unguarded) break;
      this.#release(queue[this.#first + 1], queue[this.#first + 2]);
      this.#first += entryWords;
    }
    if (this.#first === this.#end) this.#first = this.#end = 0;
  }

  #release(at: number, kind: number): void {
    if (kind === pairId) return this.#onPairId(at);
    if (kind === retiredNotes) this.#freeChain(at, Note.older, Purpose.isolation);
    else if (kind === openChunk) this.#freeChain(at, Chunk.next, Purpose.openChunks);
    else this.#arena.free(at, kind as Purpose);
  }

  /** `link` is the word with the next of the chain. */
  #freeChain(at: number, link: number, purpose: Purpose): void {
    const { words } = this.#memory;
    while (at !== 0) {
      const next = words[at + link];
      this.#arena.free(at, purpose);
      at = next;
    }
  }

  #add(at: number, kind: number): void {
    if (this.#end === this.#queue.length) this.#makeRoom();
    const queue = this.#queue;
    queue[this.#end] = nextBatch(this.#memory.words[Root.committed]);
    queue[this.#end + 1] = at;
    queue[this.#end + 2] = kind;
    this.#end += entryWords;
  }

  #makeRoom(): void {
    const waiting = this.#queue.subarray(this.#first, this.#end);
    if (waiting.length * 2 > this.#queue.length) {
      const bigger = new Uint32Array(this.#queue.length * 2);
      bigger.set(waiting);
      this.#queue = bigger;
    } else {
      this.#queue.copyWithin(0, this.#first, this.#end);
    }
    this.#end -= this.#first;
    this.#first = 0;
  }
}
