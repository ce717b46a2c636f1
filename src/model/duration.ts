/**
 * Durations as Prometheus writes them in its configuration, flags and API: "15s", "1h30m", "2w". Units are y (365
 * days), w, d, h, m, s and ms, each at most once, in this order. Values are whole milliseconds.
 */
import { ParseError } from "../base/errors.ts";

const units = [
  ["y", 365 * 24 * 60 * 60 * 1000],
  ["w", 7 * 24 * 60 * 60 * 1000],
  ["d", 24 * 60 * 60 * 1000],
  ["h", 60 * 60 * 1000],
  ["m", 60 * 1000],
  ["s", 1000],
  ["ms", 1],
] as const;

const pattern = new RegExp(`^${units.map(([unit]) => `(?:([0-9]+)${unit})?`).join("")}$`);

/** Prometheus counts nanoseconds in 64 bits: about 292 years. */
const durationMaxMs = Number((2n ** 63n - 1n) / 1_000_000n);

/** Milliseconds. Throws a ParseError with Prometheus's text. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw new ParseError("empty duration string", 0);
  const match = pattern.exec(text);
  if (match === null) throw new ParseError(`not a valid duration string: ${JSON.stringify(text)}`, 0);
  let ms = 0;
  for (const [i, [, unitMs]] of units.entries()) ms += Number(match[i + 1] ?? 0) * unitMs;
  if (ms > durationMaxMs) throw new ParseError("duration out of range", 0);
  return ms;
}

/** The shortest usual form: years and weeks only where nothing is left over, 90000 → "1m30s". */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let text = ms < 0 ? "-" : "";
  let left = Math.abs(ms);
  for (const [unit, unitMs] of units) {
    if ((unit === "y" || unit === "w") && left % unitMs !== 0) continue;
    const count = Math.floor(left / unitMs);
    if (count > 0) text += `${count}${unit}`;
    left -= count * unitMs;
  }
  return text;
}
