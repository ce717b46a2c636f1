/**
 * Series that the head has removed while the WAL still has samples of them. Their series record must stay in
 * checkpoints until those samples are gone, or a replay would meet samples of nobody. The head keeps one of these:
 *
 * - a series is removed because all its samples are before `mint`: `keepUntil(walRef, mint)`;
 * - replay finds a second WAL ref for labels that already have one: its samples go to the first, and for each sample
 *   `keepUntil(secondWalRef, t)`;
 * - a checkpoint at `mint` keeps a series record if the series lives or `isKept(walRef, mint)`;
 * - after the checkpoint: `forget(mint)`.
 */
export class WalExpiries {
  readonly #until = new Map<number, number>();

  /** Keeps the record until a checkpoint at a later time than `t`. */
  keepUntil(walRef: number, t: number): void {
    const known = this.#until.get(walRef);
    if (known === undefined || t > known) this.#until.set(walRef, t);
  }

  isKept(walRef: number, mint: number): boolean {
    const until = this.#until.get(walRef);
    return until !== undefined && until >= mint;
  }

  /** Drops what no checkpoint at `mint` or later keeps. */
  forget(mint: number): void {
    for (const [walRef, until] of this.#until) if (until < mint) this.#until.delete(walRef);
  }

  /** The WAL refs that a checkpoint at `mint` keeps. */
  *kept(mint: number): IterableIterator<number> {
    for (const [walRef, until] of this.#until) if (until >= mint) yield walRef;
  }

  get size(): number {
    return this.#until.size;
  }
}
