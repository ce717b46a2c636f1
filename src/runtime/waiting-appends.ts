/**
 * What is to be appended while the WAL is replayed: it waits for the head, in bounded memory. Lives in the main thread,
 * which holds the bodies meanwhile.
 */
import type { Clock } from "../base/env.ts";

export class WaitingAppends {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #ends = new Set<(isReady: boolean) => void>();
  #bytes = 0;
  #ended = false;

  /** `bytesMax`: of all bodies together. */
  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /**
   * Resolves to true once `ready` does; to false at once where there is no room for a body of so many bytes, when `ready`
   * rejects, and when `patienceMs` have passed (undefined: as long as it takes).
   */
  async wait(bytes: number, ready: Promise<void>, patienceMs: number | undefined): Promise<boolean> {
    if (this.#ended || this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    let end: (isReady: boolean) => void = () => {};
    const isReady = new Promise<boolean>((resolve) => {
      end = resolve;
    });
    const timer = patienceMs === undefined ? undefined : this.#clock.after(patienceMs, () => end(false));
    this.#ends.add(end);
    ready.then(
      () => end(true),
      () => end(false),
    );
    try {
      return await isReady;
    } finally {
      timer?.cancel();
      this.#ends.delete(end);
      this.#bytes -= bytes;
    }
  }

  /** Everything that waits resolves to false, and so does what comes. */
  end(): void {
    this.#ended = true;
    for (const end of this.#ends) end(false);
  }
}
