/**
 * The k largest (or smallest) of a sequence of values, kept in a binary heap with the weakest on top. Which of several
 * equal values stay, and in which order they come out, follows from the heap's moves, which are Go's container/heap's;
 * so they are the same series as Prometheus's.
 */

/** Up to so many elements Go sorts by insertion, which decides where equal ones go; beyond, any order is as good. */
const insertionMax = 12;

export class TopHeap {
  /** The elements: what the caller passed as `item`, and their values. */
  readonly items: Int32Array;
  readonly #values: Float64Array;
  readonly #capacity: number;
  readonly #largest: boolean;
  size = 0;

  /** `largest`: keeps the largest values, otherwise the smallest. */
  constructor(capacity: number, largest: boolean) {
    this.items = new Int32Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#capacity = capacity;
    this.#largest = largest;
  }

  offer(item: number, value: number): void {
    if (this.#capacity === 0) return;
    if (this.size < this.#capacity) {
      this.items[this.size] = item;
      this.#values[this.size] = value;
      this.#up(this.size++);
      return;
    }
    const weakest = this.#values[0];
    const stronger = this.#largest ? weakest < value : weakest > value;
    if (!stronger && !(Number.isNaN(weakest) && !Number.isNaN(value))) return;
    this.items[0] = item;
    this.#values[0] = value;
    this.#down(0);
  }

  /** The items, strongest first, NaN last. */
  sorted(): number[] {
    const order = Array.from({ length: this.size }, (_, i) => i);
    if (order.length > insertionMax) {
      order.sort((i, j) => (this.#weaker(i, j) ? 1 : this.#weaker(j, i) ? -1 : 0));
    } else {
      for (let i = 1; i < order.length; i++) {
        for (let j = i; j > 0 && this.#weaker(order[j - 1], order[j]); j--) {
          [order[j - 1], order[j]] = [order[j], order[j - 1]];
        }
      }
    }
    return order.map((i) => this.items[i]);
  }

  #weaker(i: number, j: number): boolean {
    const a = this.#values[i];
    if (Number.isNaN(a)) return true;
    return this.#largest ? a < this.#values[j] : a > this.#values[j];
  }

  #swap(i: number, j: number): void {
    const { items } = this;
    const values = this.#values;
    [items[i], items[j]] = [items[j], items[i]];
    [values[i], values[j]] = [values[j], values[i]];
  }

  #up(j: number): void {
    while (j > 0) {
      const parent = (j - 1) >> 1;
      if (!this.#weaker(j, parent)) break;
      this.#swap(parent, j);
      j = parent;
    }
  }

  #down(i: number): void {
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.size) return;
      if (child + 1 < this.size && this.#weaker(child + 1, child)) child++;
      if (!this.#weaker(child, i)) return;
      this.#swap(i, child);
      i = child;
    }
  }
}
