/**
 * Collects the label pairs of a new index while its series come in: 4 bytes for each label of each series, and one entry
 * for each pair. Afterwards gives out the symbols, the pairs of each series, and the postings of each pair, these a
 * bounded number of refs at a time.
 */
import { assert } from "../../base/assert.ts";
import { compareUtf8 } from "../../base/strings.ts";
import type { Labels } from "../../model/labels.ts";
import type { Postings } from "./postings.ts";

/** Marks the last pair of a series in {@link SeriesPairs.#pairs}. */
const lastFlag = 0x80000000;

/** How many refs are sorted out in one pass at least; more where there are more series than that. */
const batchRefsMin = 1 << 18;

/** The place of a pair that is not in the batch. */
const elsewhere = 0xffffffff;

/** All label names and values, and which of them each pair is made of. */
export interface PairSymbols {
  /** Sorted by their UTF-8 bytes, each once. */
  readonly symbols: readonly string[];
  /** Symbol numbers by pair number. */
  readonly names: Uint32Array;
  readonly values: Uint32Array;
  /** Pair numbers by name, then value. */
  readonly order: Uint32Array;
}

export class SeriesPairs {
  /** Pair numbers by name and value. */
  readonly #numbers = new Map<string, Map<string, number>>();
  /** By pair number: name, value, how many series have it. */
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #counts: number[] = [];
  #seriesCount = 0;
  /** The pair numbers of all series, one series after the other, the last of each with {@link lastFlag}. */
  #pairs: Uint32Array = new Uint32Array(8192);
  #pairsLength = 0;

  get seriesCount(): number {
    return this.#seriesCount;
  }

  add(labels: Labels): void {
    const { pairs, size } = labels;
    assert(size > 0, "a series has labels");
    while (this.#pairsLength + size > this.#pairs.length) {
      const bigger = new Uint32Array(this.#pairs.length * 2);
      bigger.set(this.#pairs);
      this.#pairs = bigger;
    }
    for (let i = 0; i < pairs.length; i += 2) {
      this.#pairs[this.#pairsLength++] = this.#number(pairs[i], pairs[i + 1]);
    }
    this.#pairs[this.#pairsLength - 1] |= lastFlag;
    this.#seriesCount++;
  }

  symbols(): PairSymbols {
    // The empty string is the name and value that stand for all series: Prometheus has it in every table, too.
    const symbols = [...new Set(["", ...this.#numbers.keys(), ...this.#values])].sort(compareUtf8);
    const numbers = new Map(symbols.map((symbol, number) => [symbol, number]));
    const numberOf = (symbol: string) => numbers.get(symbol) as number;
    const names = Uint32Array.from(this.#names, numberOf);
    const values = Uint32Array.from(this.#values, numberOf);
    const order = Uint32Array.from(names.keys()).sort((a, b) => names[a] - names[b] || values[a] - values[b]);
    return { symbols, names, values, order };
  }

  name(pair: number): string {
    return this.#names[pair];
  }

  value(pair: number): string {
    return this.#values[pair];
  }

  /** Calls `onSeries` with the pair numbers of each series, in the order of its labels; valid during the call. */
  forEachSeries(onSeries: (pairs: readonly number[]) => void): void {
    const series: number[] = [];
    for (let i = 0; i < this.#pairsLength; i++) {
      const flagged = this.#pairs[i];
      series.push(flagged & ~lastFlag);
      if (flagged < lastFlag) continue;
      onSeries(series);
      series.length = 0;
    }
  }

  /** The postings of each pair in the given order; `refs` are those of all series. Each list is valid during its call. */
  forEachList(refs: Postings, order: Uint32Array, onList: (refs: Postings) => void): void {
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
      this.#sortOut(refs, places, buffer);
      for (let at = 0; from < to; from++) {
        const end = at + this.#counts[order[from]];
        onList(buffer.subarray(at, end));
        places[order[from]] = elsewhere;
        at = end;
      }
    }
  }

  /** Puts the refs of all pairs that have a place into `buffer`; moves the places. */
  #sortOut(refs: Postings, places: Uint32Array, buffer: Uint32Array): void {
    const pairs = this.#pairs;
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

  #number(name: string, value: string): number {
    let values = this.#numbers.get(name);
    if (values === undefined) this.#numbers.set(name, (values = new Map()));
    let pair = values.get(value);
    if (pair === undefined) {
      pair = this.#names.length;
      values.set(value, pair);
      this.#names.push(name);
      this.#values.push(value);
      this.#counts.push(0);
    }
    this.#counts[pair]++;
    return pair;
  }
}
