/**
 * What is remembered of one target's pages: a slot for every line that the full parser accepted, found by the line's
 * key bytes. The scanner (scrape-scan.ts) reads these structures; everything that changes their shape is here.
 *
 * Four blocks of the scrape memory: entries (32 bytes a slot), keys (one after the other), two orders (the slots of the
 * last page's lines and of this one's), and a hash table of slots (open addressing, linear, at most 3/4 full).
 * An iteration is one scrape: {@link ScrapeCache.begin}, lines, {@link ScrapeCache.end}.
 */
import { hashBytes } from "./label-hash.ts";
import {
  Control,
  explicitTime,
  Kind,
  keyLengthMax,
  kindMask,
  Slot,
  slotColumn,
  slotWords,
} from "./scrape-layout.ts";
import type { ScrapeMemory } from "./scrape-memory.ts";

const slotBytes = 4 * slotWords;
const firstSlots = 64;
const firstKeyBytes = 2048;
/** Comments are forgotten so many scrapes after they were last seen: their metadata stays available that long. */
const commentIterationsMax = 10;

export class ScrapeCache {
  readonly #memory: ScrapeMemory;
  /** 2 at first: an entry that was never seen has 0, and must not look like one of the scrape before. */
  #iteration = 2;
  #entries: number;
  #slots = firstSlots;
  /** The first slot that was never used, and the list of those that were freed. */
  #nextSlot = 1;
  #freeSlot = 0;
  #count = 0;
  #keys: number;
  #keyBytes = firstKeyBytes;
  #keysUsed = 0;
  #keysFreed = 0;
  #table: number;
  #tableSlots = 2 * firstSlots;
  #orders: [number, number];
  #orderCapacity = firstSlots;
  #previousLength = 0;
  /** Series tracked for staleness in the last scrape, in this one, and in both. */
  #trackedBefore = 0;
  #tracked = 0;
  #stillTracked = 0;
  #closed = false;

  constructor(memory: ScrapeMemory) {
    this.#memory = memory;
    this.#entries = memory.allocate(slotBytes * this.#slots);
    this.#keys = memory.allocate(this.#keyBytes);
    this.#table = memory.allocate(4 * this.#tableSlots);
    this.#orders = [memory.allocate(4 * this.#orderCapacity), memory.allocate(4 * this.#orderCapacity)];
    this.#clearTable();
  }

  /** How many lines are remembered. */
  get count(): number {
    return this.#count;
  }

  /** Gives the memory back. Idempotent; nothing else may be called afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const memory = this.#memory;
    memory.release(this.#entries, slotBytes * this.#slots);
    memory.release(this.#keys, this.#keyBytes);
    memory.release(this.#table, 4 * this.#tableSlots);
    for (const order of this.#orders) memory.release(order, 4 * this.#orderCapacity);
  }

  /** Makes this target the one that the scanner reads for. */
  begin(): void {
    const memory = this.#memory;
    for (const word of [
      Control.predicted,
      Control.orderLength,
      Control.resumeSlot,
      Control.samples,
      Control.exemplars,
      Control.total,
      Control.added,
      Control.duplicates,
      Control.seen,
      Control.typeCode,
    ])
      memory.setControl(word, 0);
    memory.setControl(Control.iteration, this.#iteration);
    memory.setControl(Control.previousLength, this.#previousLength);
    this.#publish();
  }

  /**
   * Ends the scrape. After a `complete` page its order becomes the expected one, and what it did not show is forgotten;
   * after any other, what was remembered stays.
   */
  end(complete: boolean): void {
    const memory = this.#memory;
    this.#trackedBefore = this.#tracked;
    this.#tracked = 0;
    this.#stillTracked = 0;
    if (complete) {
      this.#previousLength = memory.control(Control.orderLength);
      this.#orders.reverse();
      if (memory.control(Control.seen) !== this.#count) this.forgetUnseen();
    }
    this.#iteration++;
  }

  /**
   * As {@link end} after a page of which nothing was stored: what the last stored scrape had or this one showed, and the
   * next one does not, counts as vanished then.
   */
  endUnstored(): void {
    const { u32 } = this.#memory;
    const current = this.#iteration;
    this.forEach(Kind.series, (slot) => {
      const word = this.#word(slot) + Slot.tracked;
      if (u32[word] !== current - 1) return;
      u32[word] = current;
      this.#tracked++;
    });
    this.end(false);
  }

  /** The slot of a key; 0 where it is not remembered. */
  find(key: Uint8Array): number {
    if (key.length === 0 || key.length > keyLengthMax) return 0;
    const { u8, u32 } = this.#memory;
    const hash = this.#hash(key);
    const mask = this.#tableSlots - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = u32[(this.#table >> 2) + i];
      if (slot === 0) return 0;
      const word = this.#word(slot);
      if (u32[word + Slot.hash] !== hash) continue;
      if ((u32[word + Slot.lengthAndFlags] & keyLengthMax) !== key.length) continue;
      if (equalBytes(u8, this.#keys + u32[word + Slot.key], key)) return slot;
    }
  }

  /** Remembers a key that {@link find} does not find. Returns its slot, 0 where the key is too long or empty. */
  insert(key: Uint8Array, flags: number): number {
    if (key.length === 0 || key.length > keyLengthMax) return 0;
    const slot = this.#takeSlot();
    const offset = this.#storeKey(key);
    const { u32 } = this.#memory;
    const word = this.#word(slot);
    u32.fill(0, word, word + slotWords);
    u32[word + Slot.key] = offset;
    u32[word + Slot.lengthAndFlags] = key.length | (flags << 24);
    u32[word + Slot.hash] = this.#hash(key);
    this.#count++;
    if (this.#count * 4 > this.#tableSlots * 3) this.#growTable();
    else this.#link(slot);
    return slot;
  }

  /** Forgets a key at once. */
  remove(slot: number): void {
    this.#unlink(slot);
    const { u32 } = this.#memory;
    const word = this.#word(slot);
    this.#keysFreed += u32[word + Slot.lengthAndFlags] & keyLengthMax;
    u32[word + Slot.lengthAndFlags] = 0;
    u32[word + Slot.ref] = this.#freeSlot;
    this.#freeSlot = slot;
    this.#count--;
  }

  /** Forgets what was not seen in this scrape; comments later (see above). */
  forgetUnseen(): void {
    const { u32 } = this.#memory;
    for (let slot = 1; slot < this.#nextSlot; slot++) {
      const word = this.#word(slot);
      const kind = (u32[word + Slot.lengthAndFlags] >>> 24) & kindMask;
      if (kind === Kind.free) continue;
      const age = this.#iteration - u32[word + Slot.seen];
      if (age > (kind === Kind.comment ? commentIterationsMax : 0)) this.remove(slot);
    }
    if (this.#keysFreed * 2 > this.#keysUsed) this.#compactKeys();
  }

  flags(slot: number): number {
    return this.#memory.u32[this.#word(slot) + Slot.lengthAndFlags] >>> 24;
  }

  setFlags(slot: number, flags: number): void {
    const word = this.#word(slot) + Slot.lengthAndFlags;
    this.#memory.u32[word] = (this.#memory.u32[word] & keyLengthMax) | (flags << 24);
  }

  ref(slot: number): number {
    return this.#memory.u32[this.#word(slot) + Slot.ref];
  }

  setRef(slot: number, ref: number): void {
    this.#memory.u32[this.#word(slot) + Slot.ref] = ref;
  }

  /** Forgets the refs of series that the head has removed: their lines go to the full parser again. */
  forgetRefs(isLive: (ref: number) => boolean): void {
    this.forEach(Kind.series, (slot) => {
      const ref = this.ref(slot);
      if (ref !== 0 && !isLive(ref)) this.setRef(slot, 0);
    });
  }

  seenAt(slot: number): number {
    return this.#memory.u32[this.#word(slot) + Slot.seen];
  }

  orderOf(slot: number): number {
    return this.#memory.u32[this.#word(slot) + Slot.order];
  }

  /** A copy of the slot's key. */
  key(slot: number): Uint8Array {
    const { u8, u32 } = this.#memory;
    const start = this.#keys + u32[this.#word(slot) + Slot.key];
    return u8.slice(start, start + (u32[this.#word(slot) + Slot.lengthAndFlags] & keyLengthMax));
  }

  /**
   * Notes that a line had this key, as the scanner does for the lines it reads itself, and expects what followed it on
   * the last page to follow again. Returns false where the scrape had such a line already.
   */
  see(slot: number): boolean {
    const memory = this.#memory;
    const length = memory.control(Control.orderLength);
    if (length === this.#orderCapacity) this.growOrder();
    const word = this.#word(slot);
    const { u32 } = memory;
    if (u32[word + Slot.seen] !== 0) memory.setControl(Control.predicted, u32[word + Slot.order] + 1);
    u32[(this.#orders[1] >> 2) + length] = slot;
    u32[word + Slot.order] = length;
    memory.setControl(Control.orderLength, length + 1);
    if (u32[word + Slot.seen] === this.#iteration) return false;
    u32[word + Slot.seen] = this.#iteration;
    memory.setControl(Control.seen, memory.control(Control.seen) + 1);
    return true;
  }

  /** The series got a sample in this scrape: when it vanishes, a staleness marker is due. Slot 0: nothing to do. */
  track(slot: number): void {
    if (slot === 0) return;
    const { u32 } = this.#memory;
    const word = this.#word(slot) + Slot.tracked;
    const before = u32[word];
    if (before === this.#iteration) return;
    u32[word] = this.#iteration;
    this.#tracked++;
    if (before === this.#iteration - 1) this.#stillTracked++;
  }

  /** {@link track} for the first `n` samples of the columns; those with times of their own only where `explicit`. */
  trackColumns(n: number, explicit: boolean): void {
    const { u32 } = this.#memory;
    const slots = slotColumn >> 2;
    const first = (this.#entries >> 2) + Slot.tracked;
    const iteration = this.#iteration;
    let tracked = 0;
    let stillTracked = 0;
    for (let i = 0; i < n; i++) {
      const packed = u32[slots + i];
      const slot = packed & ~explicitTime;
      if (slot === 0 || (packed >= explicitTime && !explicit)) continue;
      const word = first + slot * slotWords;
      const before = u32[word];
      if (before === iteration) continue;
      u32[word] = iteration;
      tracked++;
      if (before === iteration - 1) stillTracked++;
    }
    this.#tracked += tracked;
    this.#stillTracked += stillTracked;
  }

  /** The refs of the series that were tracked in the last scrape and, by no key of theirs, in this one. */
  vanished(): number[] {
    if (this.#stillTracked === this.#trackedBefore) return [];
    const gone = new Set<number>();
    const current = this.#iteration;
    this.#forEachRef((ref, tracked) => {
      if (tracked === current - 1) gone.add(ref);
    });
    // One series may be written in several ways; Prometheus goes by the series.
    this.#forEachRef((ref, tracked) => {
      if (tracked === current) gone.delete(ref);
    });
    return [...gone];
  }

  /** Calls back for every slot of one kind. */
  forEach(kind: number, visit: (slot: number) => void): void {
    const { u32 } = this.#memory;
    for (let slot = 1; slot < this.#nextSlot; slot++) {
      if (((u32[this.#word(slot) + Slot.lengthAndFlags] >>> 24) & kindMask) === kind) visit(slot);
    }
  }

  /** After Status.orderFull. */
  growOrder(): void {
    const bytes = 4 * this.#orderCapacity;
    this.#orders = [
      this.#memory.resize(this.#orders[0], bytes, 2 * bytes),
      this.#memory.resize(this.#orders[1], bytes, 2 * bytes),
    ];
    this.#orderCapacity *= 2;
    this.#publish();
  }

  #forEachRef(visit: (ref: number, tracked: number) => void): void {
    const { u32 } = this.#memory;
    this.forEach(Kind.series, (slot) => {
      const word = this.#word(slot);
      if (u32[word + Slot.ref] !== 0) visit(u32[word + Slot.ref], u32[word + Slot.tracked]);
    });
  }

  /** Word index of a slot's entry. */
  #word(slot: number): number {
    return (this.#entries >> 2) + slot * slotWords;
  }

  #publish(): void {
    const memory = this.#memory;
    memory.setControl(Control.entries, this.#entries);
    memory.setControl(Control.keys, this.#keys);
    memory.setControl(Control.previousOrder, this.#orders[0]);
    memory.setControl(Control.order, this.#orders[1]);
    memory.setControl(Control.orderCapacity, this.#orderCapacity);
    memory.setControl(Control.table, this.#table);
    memory.setControl(Control.tableMask, this.#tableSlots - 1);
  }

  #hash(key: Uint8Array): number {
    return hashBytes(key, 0, key.length, this.#memory.control(Control.hashSeed));
  }

  #takeSlot(): number {
    const { u32 } = this.#memory;
    if (this.#freeSlot !== 0) {
      const slot = this.#freeSlot;
      this.#freeSlot = u32[this.#word(slot) + Slot.ref];
      return slot;
    }
    if (this.#nextSlot === this.#slots) {
      this.#entries = this.#memory.resize(
        this.#entries,
        slotBytes * this.#slots,
        2 * slotBytes * this.#slots,
      );
      this.#slots *= 2;
      this.#publish();
    }
    return this.#nextSlot++;
  }

  /** Returns the key's offset. The kernel reads up to 15 bytes behind a key. */
  #storeKey(key: Uint8Array): number {
    const needed = this.#keysUsed + key.length + 16;
    if (needed > this.#keyBytes) {
      const bytes = Math.max(needed, 2 * this.#keyBytes);
      this.#keys = this.#memory.resize(this.#keys, this.#keyBytes, bytes);
      this.#keyBytes = bytes;
      this.#publish();
    }
    const offset = this.#keysUsed;
    this.#memory.u8.set(key, this.#keys + offset);
    this.#keysUsed += key.length;
    return offset;
  }

  /** Moves the keys that are left together, in the order of their offsets, so that none is overwritten before it moved. */
  #compactKeys(): void {
    const { u8, u32 } = this.#memory;
    const slots: number[] = [];
    for (let slot = 1; slot < this.#nextSlot; slot++)
      if (u32[this.#word(slot) + Slot.lengthAndFlags] !== 0) slots.push(slot);
    slots.sort((a, b) => u32[this.#word(a) + Slot.key] - u32[this.#word(b) + Slot.key]);
    let used = 0;
    for (const slot of slots) {
      const word = this.#word(slot);
      const length = u32[word + Slot.lengthAndFlags] & keyLengthMax;
      const from = this.#keys + u32[word + Slot.key];
      u8.copyWithin(this.#keys + used, from, from + length);
      u32[word + Slot.key] = used;
      used += length;
    }
    this.#keysUsed = used;
    this.#keysFreed = 0;
  }

  #clearTable(): void {
    this.#memory.u32.fill(0, this.#table >> 2, (this.#table >> 2) + this.#tableSlots);
  }

  #growTable(): void {
    this.#memory.release(this.#table, 4 * this.#tableSlots);
    this.#tableSlots *= 2;
    this.#table = this.#memory.allocate(4 * this.#tableSlots);
    this.#clearTable();
    for (let slot = 1; slot < this.#nextSlot; slot++)
      if (this.#memory.u32[this.#word(slot) + Slot.lengthAndFlags] !== 0) this.#link(slot);
    this.#publish();
  }

  #link(slot: number): void {
    const { u32 } = this.#memory;
    const table = this.#table >> 2;
    const mask = this.#tableSlots - 1;
    let i = u32[this.#word(slot) + Slot.hash] & mask;
    while (u32[table + i] !== 0) i = (i + 1) & mask;
    u32[table + i] = slot;
  }

  /** Takes a slot out of the table and moves up whatever was pushed on by it. */
  #unlink(slot: number): void {
    const { u32 } = this.#memory;
    const table = this.#table >> 2;
    const mask = this.#tableSlots - 1;
    let hole = u32[this.#word(slot) + Slot.hash] & mask;
    while (u32[table + hole] !== slot) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; u32[table + i] !== 0; i = (i + 1) & mask) {
      const home = u32[this.#word(u32[table + i]) + Slot.hash] & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      u32[table + hole] = u32[table + i];
      hole = i;
    }
    u32[table + hole] = 0;
  }
}

function equalBytes(u8: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (u8[at + i] !== key[i]) return false;
  return true;
}
