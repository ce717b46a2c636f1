/** An invariant of our own code was broken. Never thrown for bad input: that is an expected error (errors.ts). */
export class BugError extends Error {
  override name = "BugError";
}

/** Throws a {@link BugError} unless `condition` holds. `message` says which invariant was broken. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BugError(`BUG: ${message}`);
}

/** For the `default` of a switch over a closed union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new BugError(`BUG: unexpected ${JSON.stringify(value)}`);
}
