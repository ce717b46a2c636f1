/**
 * Numbers of the API's JSON written straight to bytes. The text is that of model/format-float.ts; these are the quick
 * ways there for what most samples are: whole numbers, short decimals, the value of the step before.
 */
import { formatSampleValue } from "../../model/format-float.ts";

/** No sample value and no timestamp is longer: "-0.0000012345678901234567" has 25. */
export const numberBytesMax = 26;

const zero = 0x30;
const minus = 0x2d;
const point = 0x2e;
const powers = [1, 10, 100, 1000, 10000];
/** Whole numbers up to here, divided by a power of ten, have no shorter decimal than their own digits. */
const exactDigitsMax = 1e15;

/** `value` is a whole number, 0 <= value < 2^53. Returns the position after it. */
function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  let low = value;
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9);
    at = writeWhole(bytes, at, high);
    return writePadded(bytes, at, value - high * 1e9, 9);
  }
  let digits = 1;
  for (let power = 10; power <= low; power *= 10) digits++;
  low |= 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = (low / 10) | 0;
    bytes[i] = zero + low - rest * 10;
    low = rest;
  }
  return at + digits;
}

/** `digits` digits of a whole number below 10^digits, digits <= 9. */
function writePadded(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let low = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = (low / 10) | 0;
    bytes[i] = zero + low - rest * 10;
    low = rest;
  }
  return at + digits;
}

function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** A time in milliseconds as seconds, with three decimals where they are not zero: 1435781430.780. */
export function writeTimestamp(bytes: Uint8Array, at: number, ms: number): number {
  if (ms < 0) {
    bytes[at++] = minus;
    ms = -ms;
  }
  const seconds = Math.floor(ms / 1000);
  const fraction = ms - seconds * 1000;
  at =
    seconds <= Number.MAX_SAFE_INTEGER
      ? writeWhole(bytes, at, seconds)
      : writeAscii(bytes, at, String(seconds));
  if (fraction === 0) return at;
  bytes[at++] = point;
  return writePadded(bytes, at, fraction, 3);
}

/** A sample's value, without the quotes. */
export function writeSampleValue(bytes: Uint8Array, at: number, value: number): number {
  const magnitude = value < 0 ? -value : value;
  if (magnitude >= 1e-6 && magnitude < exactDigitsMax) {
    for (let decimals = 0; decimals <= 4; decimals++) {
      const power = powers[decimals];
      const scaled = Math.floor(magnitude * power + 0.5);
      if (scaled / power !== magnitude || scaled >= exactDigitsMax) continue;
      if (value < 0) bytes[at++] = minus;
      if (decimals === 0) return writeWhole(bytes, at, scaled);
      const whole = Math.floor(magnitude);
      at = writeWhole(bytes, at, whole);
      bytes[at++] = point;
      return writePadded(bytes, at, scaled - whole * power, decimals);
    }
  }
  return writeAscii(bytes, at, formatSampleValue(value));
}
