/**
 * Durations as Prometheus writes them in its configuration, flags, API and queries: "15s", "1h30m", "2w". Units are y
 * (365 days), w, d, h, m, s and ms, each at most once, in this order; "0" needs none. Values are whole milliseconds.
 */
import { ParseError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";

const units = [
  ["y", 365 * 24 * 60 * 60 * 1000],
  ["w", 7 * 24 * 60 * 60 * 1000],
  ["d", 24 * 60 * 60 * 1000],
  ["h", 60 * 60 * 1000],
  ["m", 60 * 1000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** Prometheus counts nanoseconds in 64 bits: about 292 years. */
export const durationMsMax = Number((2n ** 63n - 1n) / 1_000_000n);

/** Milliseconds. Throws a ParseError with Prometheus's text. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw new ParseError("empty duration string", 0);
  const invalid = () => new ParseError(`not a valid duration string: ${quote(text)}`, 0);
  let ms = 0;
  let lastUnit = -1;
  let at = 0;
  while (at < text.length) {
    const [pair, digits, name] = /^(\d*)(\D*)/.exec(text.slice(at)) as RegExpExecArray;
    if (digits === "" || name === "" || Number(digits) >= 2 ** 64) throw invalid();
    const unit = units.findIndex(([candidate]) => candidate === name);
    if (unit < 0) throw new ParseError(`unknown unit ${quote(name)} in duration ${quote(text)}`, 0);
    if (unit <= lastUnit) throw invalid();
    lastUnit = unit;
    ms += Number(digits) * units[unit][1];
    if (ms > durationMsMax) throw new ParseError("duration out of range", 0);
    at += pair.length;
  }
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
