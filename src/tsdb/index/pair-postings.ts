/**
 * Collects the postings of a new index while its series are written: 4 bytes for each label of each series, and one
 * entry for each label pair. The lists are sorted out a bounded number of refs at a time.
 */
import { assert, BugError } from "../../base/assert.ts";
import type { ByteWriter } from "../../base/bytes.ts";
import { compareUtf8 } from "../../base/strings.ts";
import type { Labels } from "../../model/labels.ts";
import type { Postings } from "./postings.ts";

interface Name {
  readonly text: string;
  readonly symbol: number;
  /** Value to pair number. */
  readonly pairs: Map<string, number>;
}

/** Marks the last pair of a series in {@link PairPostings.#pairs}. */
const lastFlag = 0x80000000;

/** How many refs are sorted out in one pass at least; more where there are more series than that. */
const batchRefsMin = 1 << 18;

/** The place of a pair that is not in the batch. */
const elsewhere = 0xffffffff;

export class PairPostings {
  readonly #symbols = new Map<string, number>();
  readonly #names = new Map<string, Name>();
  /** How many series have the pair, by pair number. */
  readonly #counts: number[] = [];
  /** Series refs in order. */
  #refs: Uint32Array = new Uint32Array(1024);
  #seriesCount = 0;
  /** The pair numbers of all series, one series after the other, the last of each with {@link lastFlag}. */
  #pairs: Uint32Array = new Uint32Array(8192);
  #pairsLength = 0;

  /** `symbols`: sorted by UTF-8 bytes, each once. */
  constructor(symbols: readonly string[]) {
    symbols.forEach((symbol, i) => {
      assert(i === 0 || compareUtf8(symbols[i - 1], symbol) < 0, "symbols are sorted, each once");
      this.#symbols.set(symbol, i);
    });
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  /** Takes a series in and appends its labels to `out`, as an index entry has them. Refs must increase. */
  add(ref: number, labels: Labels, out: ByteWriter): void {
    const { pairs, size } = labels;
    assert(size > 0, "a series has labels");
    this.#reserve(size);
    this.#refs[this.#seriesCount++] = ref;
    out.uvarint(size);
    for (let i = 0; i < pairs.length; i += 2) {
      const name = this.#name(pairs[i]);
      out.uvarint(name.symbol);
      out.uvarint(this.#symbol(pairs[i + 1]));
      this.#pairs[this.#pairsLength++] = this.#pair(name, pairs[i + 1]);
    }
    this.#pairs[this.#pairsLength - 1] |= lastFlag;
  }

  /** The pair of two empty strings, which all series have, then every pair by name and value. */
  forEachPair(onPair: (name: string, value: string) => void): void {
    onPair("", "");
    for (const name of this.#sortedNames()) {
      for (const [value] of this.#sortedValues(name)) onPair(name.text, value);
    }
  }

  /** The postings of the pairs in the order of {@link forEachPair}; each list is valid during its call. */
  forEachList(onList: (refs: Postings) => void): void {
    onList(this.#refs.subarray(0, this.#seriesCount));
    const order: number[] = [];
    for (const name of this.#sortedNames()) {
      for (const [, pair] of this.#sortedValues(name)) order.push(pair);
    }
    const batchRefs = Math.max(this.#seriesCount, batchRefsMin);
    const buffer = new Uint32Array(Math.min(batchRefs, this.#pairsLength));
    const places = new Uint32Array(order.length).fill(elsewhere);
    for (let from = 0; from < order.length; ) {
      let to = from;
      let total = 0;
      while (to < order.length && total + this.#counts[order[to]] <= batchRefs) {
        places[order[to]] = total;
        total += this.#counts[order[to++]];
      }
      this.#sortOut(places, buffer);
      for (let at = 0; from < to; from++) {
        const end = at + this.#counts[order[from]];
        onList(buffer.subarray(at, end));
        places[order[from]] = elsewhere;
        at = end;
      }
    }
  }

  /** Puts the refs of all pairs that have a place into `buffer`; moves the places. */
  #sortOut(places: Uint32Array, buffer: Uint32Array): void {
    const pairs = this.#pairs;
    const refs = this.#refs;
    const length = this.#pairsLength;
    let series = 0;
    for (let i = 0; i < length; i++) {
      const flagged = pairs[i];
      const pair = flagged & ~lastFlag;
      const place = places[pair];
      if (place !== elsewhere) {
        buffer[place] = refs[series];
        places[pair] = place + 1;
      }
      if (flagged >= lastFlag) series++;
    }
  }

  #sortedNames(): Name[] {
    return [...this.#names.values()].sort((a, b) => a.symbol - b.symbol);
  }

  #sortedValues(name: Name): [value: string, pair: number][] {
    return [...name.pairs].sort(([a], [b]) => this.#symbol(a) - this.#symbol(b));
  }

  #name(text: string): Name {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = { text, symbol: this.#symbol(text), pairs: new Map() };
      this.#names.set(text, name);
    }
    return name;
  }

  #pair(name: Name, value: string): number {
    let pair = name.pairs.get(value);
    if (pair === undefined) {
      pair = this.#counts.length;
      name.pairs.set(value, pair);
      this.#counts.push(0);
    }
    this.#counts[pair]++;
    return pair;
  }

  #symbol(text: string): number {
    const symbol = this.#symbols.get(text);
    if (symbol === undefined) throw new BugError(`BUG: ${JSON.stringify(text)} is in the symbol table`);
    return symbol;
  }

  #reserve(labels: number): void {
    if (this.#seriesCount === this.#refs.length) this.#refs = doubled(this.#refs);
    while (this.#pairsLength + labels > this.#pairs.length) this.#pairs = doubled(this.#pairs);
  }
}

function doubled(values: Uint32Array): Uint32Array {
  const bigger = new Uint32Array(values.length * 2);
  bigger.set(values);
  return bigger;
}
