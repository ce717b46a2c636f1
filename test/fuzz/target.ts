/** What a fuzz target is: a decoder, valid inputs for it, and what it may answer to invalid ones. */
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { NarthexError } from "../../src/base/errors.ts";

export interface FuzzTarget {
  /** Also the folder of its findings in corpus/. */
  readonly name: string;
  /** Of a run's inputs: 1 for a decoder, less where an input goes through half the server. */
  readonly share: number;
  /** Valid inputs: each is accepted. Called once. */
  seeds(): readonly Uint8Array[];
  /** Pieces that its inputs are made of. */
  readonly dictionary?: readonly string[];
  /** Puts checksums and lengths right after a mutation, so that it gets past them. Returns the input, changed in place or not. */
  readonly seal?: (bytes: Uint8Array) => Uint8Array;
  /**
   * Decodes an input completely. Returns whether it was accepted; may also throw an expected error
   * ({@link isExpected}), which means that it was not. Any other error is a finding: so are a broken check of what was
   * decoded, more than a second, and much memory. Must not depend on earlier calls.
   */
  run(bytes: Uint8Array): boolean;
}

export function isExpected(error: unknown): boolean {
  return error instanceof NarthexError;
}

/** An invariant of what was decoded does not hold. */
export class CheckFailedError extends Error {
  override name = "CheckFailedError";
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CheckFailedError(message);
}

export const texts = (...list: readonly string[]): Uint8Array[] => list.map(encodeUtf8);
