import { BodySizeError } from "../base/http-client.ts";

/** Where the configuration sets no limit: larger than any real page, small enough to survive. */
const bodyCeilingBytes = 256 * 2 ** 20;
/** Bodies up to this size are never refused for want of memory. */
const alwaysAllowedBytes = 16 * 2 ** 20;

/** The memory that large bodies may take together while they arrive, so that endless pages cannot end the process. */
export class BodyBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes = 2 ** 30) {
    this.#maxBytes = maxBytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#maxBytes - this.#usedBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** A body as it arrives, in one growing buffer. */
export class BodyBuffer {
  readonly #budget: BodyBudget;
  readonly #maxBytes: number;
  readonly #limited: boolean;
  #bytes: Uint8Array;
  #length = 0;
  #takenBytes = 0;

  /** `maxBytes` 0: only the safety bound. `expectedBytes` is where the buffer starts. */
  constructor(budget: BodyBudget, maxBytes: number, expectedBytes: number) {
    this.#budget = budget;
    this.#limited = maxBytes > 0;
    this.#maxBytes = this.#limited ? maxBytes : bodyCeilingBytes;
    // Pages grow and shrink a little from scrape to scrape.
    this.#bytes = new Uint8Array(Math.min(Math.ceil(expectedBytes * 1.06), alwaysAllowedBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** Throws a BodySizeError where the body gets too long. */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length >= this.#maxBytes) {
      throw new BodySizeError(
        this.#limited
          ? "body size limit exceeded"
          : `the body is larger than ${bodyCeilingBytes} bytes; set body_size_limit to accept that`,
      );
    }
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  #grow(needed: number): void {
    const capacity = Math.max(needed, Math.min(this.#bytes.length * 2, this.#maxBytes), 16_384);
    const toTake = Math.max(0, capacity - alwaysAllowedBytes) - this.#takenBytes;
    if (toTake > 0) {
      if (!this.#budget.take(toTake))
        throw new BodySizeError("too many large bodies arrive at the same time");
      this.#takenBytes += toTake;
    }
    const bigger = new Uint8Array(capacity);
    bigger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bigger;
  }

  /** The body; the buffer must not be used any more. */
  finish(): Uint8Array {
    this.release();
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives back what was taken of the budget; idempotent. */
  release(): void {
    this.#budget.giveBack(this.#takenBytes);
    this.#takenBytes = 0;
  }
}
