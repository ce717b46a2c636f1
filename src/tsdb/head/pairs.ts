/**
 * The pairs of the head, from the writer's side: gives labels their ids, chains the values of each name, and takes
 * unused pairs out again. Layout: docs/formats/head-memory.md.
 */
import { assert } from "../../base/assert.ts";
import {
  Block,
  directoryHeaderWords,
  firstBlockCapacity,
  noPosting,
  Pair,
  Purpose,
  poisonWord,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Table,
} from "../../kernels/head-layout.ts";
import { hashBytes } from "../../kernels/label-hash.ts";
import { findPair } from "../../kernels/pair-find.ts";
import type { Arena } from "./arena.ts";
import { growDirectory, newDirectory } from "./directory.ts";
import { type LabelCursor, putVarint, varintBytes } from "./label-bytes.ts";
import { type HeadMemory, pairHeader } from "./memory.ts";
import { retirePostings } from "./postings.ts";
import type { Retired } from "./retired.ts";

const tableCapacityMin = 256;
const nothing: ReadonlySet<number> = new Set();

export class Pairs {
  readonly #memory: HeadMemory;
  readonly #words: Uint32Array;
  readonly #arena: Arena;
  readonly #retired: Retired;
  readonly #seed: number;
  /** Ids that may be used again. */
  readonly #freeIds: number[] = [];
  #lastId = 0;
  /** Values, names not counted. */
  #count = 0;
  #nameField = new Uint8Array(256);

  constructor(memory: HeadMemory, arena: Arena, retired: Retired) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#arena = arena;
    this.#retired = retired;
    this.#seed = memory.words[Root.hashSeed];
    memory.words[Root.pairDirectory] = newDirectory(memory, arena);
    memory.words[Root.pairTable] = this.#newTable(0);
    retired.onPairId = (id) => this.#reuse(id);
  }

  /** How many pairs (labels) there are. */
  get count(): number {
    return this.#count;
  }

  /** The highest id that was ever given out. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Grows the table for `more` new labels and their names, so that none of them is made by half. */
  makeRoom(more: number): void {
    const words = this.#words;
    const old = words[Root.pairTable];
    const wanted = words[old + Table.count] + 2 * more;
    if (wanted * 3 > (words[old + Table.mask] + 1) * 2) this.#replaceTable(this.#newTable(wanted), nothing);
  }

  /** The id of the label at the cursor, given one if it is new. To be called after {@link makeRoom}. */
  intern(cursor: LabelCursor): number {
    const { bytes, start, fieldEnd } = cursor;
    const hash = hashBytes(bytes, start, fieldEnd, this.#seed);
    const known = findPair(this.#words, bytes, start, fieldEnd, hash);
    if (known !== 0) return known;
    const nameBytes = cursor.nameEnd - cursor.nameStart;
    const name = this.#internName(bytes, cursor.nameStart, cursor.nameEnd);
    const id = this.#create(bytes, start, fieldEnd, hash, nameBytes, fieldEnd - cursor.valueStart);
    const words = this.#words;
    const header = pairHeader(words, id);
    const nameHeader = pairHeader(words, name);
    words[header + Pair.name] = name;
    words[header + Pair.next] = words[nameHeader + Pair.first];
    Atomics.store(words, nameHeader + Pair.first, id);
    words[nameHeader + Pair.length]++;
    this.#insert(hash, id);
    this.#count++;
    return id;
  }

  /**
   * Takes pairs without postings out of the chains and the table. `ids` must be distinct and not names. Throws a STORAGE
   * error, with nothing changed, when the memory is full.
   */
  remove(ids: readonly number[]): void {
    if (ids.length === 0) return;
    const words = this.#words;
    const table = this.#newTable(words[words[Root.pairTable] + Table.count] - ids.length);
    const gone = new Set(ids);
    const names = new Set<number>();
    for (const id of ids) names.add(words[pairHeader(words, id) + Pair.name]);
    for (const name of names) {
      if (this.#unlinkValues(name, gone)) gone.add(name);
    }
    this.#unlinkNames(gone);
    this.#count -= ids.length;
    this.#replaceTable(table, gone);
    for (const id of ids) retirePostings(words, this.#retired, id);
    for (const id of gone) {
      this.#retired.memory(words[pairHeader(words, id) + Pair.string], Purpose.strings);
      this.#retired.pair(id);
    }
  }

  /** Unlinks what is in `gone` from the chain of a name; whether nothing is left. */
  #unlinkValues(name: number, gone: ReadonlySet<number>): boolean {
    const words = this.#words;
    const nameHeader = pairHeader(words, name);
    let link = nameHeader + Pair.first;
    for (let id = words[link]; id !== 0; ) {
      const header = pairHeader(words, id);
      const next = words[header + Pair.next];
      if (gone.has(id)) {
        Atomics.store(words, link, next);
        words[nameHeader + Pair.length]--;
      } else {
        link = header + Pair.next;
      }
      id = next;
    }
    return words[nameHeader + Pair.first] === 0;
  }

  #unlinkNames(gone: ReadonlySet<number>): void {
    const words = this.#words;
    let link: number = Root.firstName;
    for (let id = words[link]; id !== 0; ) {
      const header = pairHeader(words, id);
      const next = words[header + Pair.next];
      if (gone.has(id)) Atomics.store(words, link, next);
      else link = header + Pair.next;
      id = next;
    }
  }

  #internName(bytes: Uint8Array, nameStart: number, nameEnd: number): number {
    const nameBytes = nameEnd - nameStart;
    const length = this.#fillNameField(bytes, nameStart, nameEnd);
    const field = this.#nameField;
    const hash = hashBytes(field, 0, length, this.#seed);
    const known = findPair(this.#words, field, 0, length, hash);
    if (known !== 0) return known;
    const id = this.#create(field, 0, length, hash, nameBytes, 0);
    const words = this.#words;
    const header = pairHeader(words, id);
    words[header + Pair.name] = id;
    words[header + Pair.first] = 0;
    words[header + Pair.next] = words[Root.firstName];
    Atomics.store(words, Root.firstName, id);
    this.#insert(hash, id);
    return id;
  }

  /** The field of the name with an empty value; returns its length. */
  #fillNameField(bytes: Uint8Array, nameStart: number, nameEnd: number): number {
    const nameBytes = nameEnd - nameStart;
    const inner = 3 + varintBytes(nameBytes) + nameBytes;
    const length = 1 + varintBytes(inner) + inner;
    if (length > this.#nameField.length) this.#nameField = new Uint8Array(length * 2);
    const field = this.#nameField;
    let at = 0;
    field[at++] = 0x0a;
    at = putVarint(field, at, inner);
    field[at++] = 0x0a;
    at = putVarint(field, at, nameBytes);
    for (let i = nameStart; i < nameEnd; i++) field[at++] = bytes[i];
    field[at++] = 0x12;
    field[at++] = 0;
    return length;
  }

  /** A header with its string and empty postings, not yet reachable. */
  #create(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    nameBytes: number,
    valueBytes: number,
  ): number {
    const words = this.#words;
    const string = this.#storeString(bytes, start, end);
    const id = this.#freeIds.pop() ?? this.#newId();
    const header = pairHeader(words, id);
    const block = header + Pair.block;
    words[header + Pair.first] = block;
    words[header + Pair.tail] = block;
    words[header + Pair.length] = 0;
    words[header + Pair.string] = string;
    words[header + Pair.nameBytes] = nameBytes;
    words[header + Pair.valueBytes] = valueBytes;
    words[header + Pair.hash] = hash;
    words[block + Block.next] = 0;
    words[block + Block.capacity] = firstBlockCapacity;
    words.fill(noPosting, block + Block.header, block + Block.header + firstBlockCapacity);
    return id;
  }

  #newId(): number {
    const id = ++this.#lastId;
    const page = id >>> recordsPerPageBits;
    const words = this.#words;
    const directory = growDirectory(this.#memory, this.#arena, this.#retired, Root.pairDirectory, page);
    const entry = directory + directoryHeaderWords + page;
    if (words[entry] === 0) {
      Atomics.store(words, entry, this.#arena.allocZeroed(recordsPerPage * Pair.words, Purpose.pairs));
    }
    return id;
  }

  #reuse(id: number): void {
    const words = this.#words;
    const header = pairHeader(words, id);
    const generation = words[header + Pair.generation];
    if (this.#memory.poison) words.fill(poisonWord, header, header + Pair.words);
    words[header + Pair.generation] = generation + 1;
    this.#freeIds.push(id);
  }

  #storeString(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const string = this.#arena.alloc(1 + ((length + 3) >>> 2), Purpose.strings);
    const words = this.#words;
    words[string] = length;
    let word = string + 1;
    for (let at = start; at < end; at += 4) {
      let x = bytes[at];
      if (at + 1 < end) x |= bytes[at + 1] << 8;
      if (at + 2 < end) x |= bytes[at + 2] << 16;
      if (at + 3 < end) x |= bytes[at + 3] << 24;
      words[word++] = x;
    }
    return string;
  }

  /** An empty table with room for `pairs`. */
  #newTable(pairs: number): number {
    let capacity = tableCapacityMin;
    while ((pairs + 1) * 2 > capacity) capacity *= 2;
    const table = this.#arena.allocZeroed(Table.header + 2 * capacity, Purpose.pairs);
    this.#words[table + Table.mask] = capacity - 1;
    return table;
  }

  #insert(hash: number, id: number): void {
    const words = this.#words;
    const table = words[Root.pairTable];
    assert(words[table + Table.count] < words[table + Table.mask], "no room was made for a new label");
    this.#put(table, hash, id);
  }

  #put(table: number, hash: number, id: number): void {
    const words = this.#words;
    const mask = words[table + Table.mask];
    let i = hash & mask;
    while (words[table + Table.header + 2 * i + 1] !== 0) i = (i + 1) & mask;
    words[table + Table.header + 2 * i] = hash;
    Atomics.store(words, table + Table.header + 2 * i + 1, id);
    words[table + Table.count]++;
  }

  /** Fills a new table with what is in the old one and not in `gone`, and publishes it. */
  #replaceTable(table: number, gone: ReadonlySet<number>): void {
    const words = this.#words;
    const old = words[Root.pairTable];
    const capacity = words[old + Table.mask] + 1;
    for (let i = 0; i < capacity; i++) {
      const slot = old + Table.header + 2 * i;
      const id = words[slot + 1];
      if (id !== 0 && !gone.has(id)) this.#put(table, words[slot], id);
    }
    Atomics.store(words, Root.pairTable, table);
    this.#retired.memory(old, Purpose.pairs);
  }
}
