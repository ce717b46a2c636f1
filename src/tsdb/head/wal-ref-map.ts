/** From WAL refs to small numbers, while the WAL is replayed: pages of neighbouring refs, which is how they come. */
const pageBits = 6;
const pageSize = 1 << pageBits;

export class WalRefMap {
  readonly #pages = new Map<number, Uint32Array>();
  #page: Uint32Array | undefined;
  #pageNumber = -1;

  /** 0 where nothing was set. */
  get(walRef: number): number {
    const number = Math.floor(walRef / pageSize);
    if (number !== this.#pageNumber) {
      this.#page = this.#pages.get(number);
      this.#pageNumber = number;
    }
    return this.#page === undefined ? 0 : this.#page[walRef % pageSize];
  }

  set(walRef: number, value: number): void {
    const number = Math.floor(walRef / pageSize);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint32Array(pageSize);
      this.#pages.set(number, page);
    }
    page[walRef % pageSize] = value;
    this.#pageNumber = -1;
  }
}
