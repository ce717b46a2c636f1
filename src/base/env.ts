/**
 * What the layers below `server/` may not reach for themselves: time, randomness, logging. Each layer takes the parts
 * it uses as its first constructor argument; `node/` has the real ones, `testkit/` the ones that tests steer.
 */

/** A pending timer; cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in milliseconds since 1970 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds (with a fraction) since an arbitrary start; never runs backwards. */
  monotonicMs(): number;
  /** Runs `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): Timer;
}

export interface Random {
  /** A uniform integer in [0, 2^32). */
  u32(): number;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging. `message` is a fixed sentence; what varies goes into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Drops everything: the default where nobody listens. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
