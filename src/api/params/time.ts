/**
 * Times and durations in request parameters, read as Prometheus reads them: seconds as a float, or RFC 3339; seconds
 * as a float, or "1h30m". They are kept in nanoseconds of a 64-bit integer with Go's arithmetic, wrap-around included,
 * because the checks on them (end before start, 11,000 points) are made at that precision.
 */
import { ParseError } from "../../base/errors.ts";
import { quote } from "../../base/quote.ts";
import { parseDuration as parseModelDuration } from "../../model/duration.ts";
import { parseGoFloat } from "./go-numbers.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const nanosPerSecond = 1_000_000_000n;
/** Seconds from the year 1 to 1970: Go counts a time from there. */
const unixToInternal = 62135596800n;

/** A point in time: int64 seconds since 1970 and 0 … 999,999,999 nanoseconds. */
export interface Instant {
  readonly seconds: bigint;
  readonly nanos: bigint;
}

/** The defaults of optional `start` and `end`. */
export const minTime: Instant = { seconds: int64Min / 1000n + 62135596801n, nanos: 0n };
export const maxTime: Instant = { seconds: int64Max / 1000n - 62135596801n, nanos: 999_999_999n };
const minTimeText = "-292273086-05-16T16:47:06Z";
const maxTimeText = "292277025-08-18T07:12:54.999999999Z";

const wrap = (value: bigint) => BigInt.asIntN(64, value);

/** What amd64 makes of a float that is converted to int64: out of range and NaN become the smallest integer. */
function toInt64(value: number): bigint {
  return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : int64Min;
}

function instant(seconds: bigint, nanos: bigint): Instant {
  if (nanos < 0n || nanos >= nanosPerSecond) {
    const carried = nanos / nanosPerSecond;
    seconds = wrap(seconds + carried);
    nanos -= carried * nanosPerSecond;
    if (nanos < 0n) {
      nanos += nanosPerSecond;
      seconds = wrap(seconds - 1n);
    }
  }
  return { seconds, nanos };
}

/** Throws an Error with Prometheus's text. */
export function parseTime(text: string): Instant {
  const float = parseGoFloat(text);
  if (float !== undefined) {
    const whole = Math.trunc(float);
    const fraction = Number.isFinite(float) ? float - whole : Number.NaN;
    return instant(toInt64(whole), toInt64((roundHalfAway(fraction * 1000) / 1000) * 1e9));
  }
  const parsed = parseRfc3339(text);
  if (parsed !== undefined) return parsed;
  if (text === minTimeText) return minTime;
  if (text === maxTimeText) return maxTime;
  throw new Error(`cannot parse ${quote(text)} to a valid timestamp`);
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

function parseRfc3339(text: string): Instant | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const [fraction = "", sign, zoneHours = "0", zoneMinutes = "0"] = match.slice(7);
  if (hour > 23 || minute > 59 || second > 59 || Number(zoneHours) > 24 || Number(zoneMinutes) > 60)
    return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const zoneSeconds = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60 * (sign === "-" ? -1 : 1);
  return {
    seconds: BigInt(date.getTime() / 1000 - zoneSeconds),
    nanos: BigInt(fraction.slice(0, 9).padEnd(9, "0")),
  };
}

/** Milliseconds since 1970 for the storage: rounded down; beyond int64 it wraps as Prometheus's does. */
export function toMs(time: Instant): number {
  return Number(wrap(time.seconds * 1000n + time.nanos / 1_000_000n));
}

/** Milliseconds since 1970 for the engine, which goes by way of nanoseconds: cut off towards 1970, wraps after 2262. */
export function toEngineMs(time: Instant): number {
  return Number(wrap(time.seconds * nanosPerSecond + time.nanos) / 1_000_000n);
}

export function fromMs(ms: number): Instant {
  return instant(0n, BigInt(Math.round(ms)) * 1_000_000n);
}

const internalSeconds = (time: Instant) => wrap(time.seconds + unixToInternal);

export function isBefore(a: Instant, b: Instant): boolean {
  const x = internalSeconds(a);
  const y = internalSeconds(b);
  return x < y || (x === y && a.nanos < b.nanos);
}

/** b − a in nanoseconds, clamped to int64. */
export function nanosBetween(a: Instant, b: Instant): bigint {
  const nanos = (internalSeconds(b) - internalSeconds(a)) * nanosPerSecond + b.nanos - a.nanos;
  return nanos > int64Max ? int64Max : nanos < int64Min ? int64Min : nanos;
}

/** A duration in nanoseconds. Throws an Error with Prometheus's text. */
export function parseDuration(text: string): bigint {
  const float = parseGoFloat(text);
  if (float !== undefined) {
    const nanos = float * 1e9;
    if (nanos > 2 ** 63 || nanos < -(2 ** 63)) {
      throw new Error(`cannot parse ${quote(text)} to a valid duration. It overflows int64`);
    }
    return toInt64(nanos);
  }
  try {
    return BigInt(parseModelDuration(text)) * 1_000_000n;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Error(`cannot parse ${quote(text)} to a valid duration`);
  }
}
