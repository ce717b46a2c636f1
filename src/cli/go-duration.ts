/** Durations as Go's `time` package writes them: "2ms", "1m30s", "1.5h". Here in milliseconds. */
import { ParseError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";
import { durationMsMax } from "../model/duration.ts";

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Throws a ParseError. */
export function parseGoDuration(text: string): number {
  const [, sign, magnitude] = /^([-+]?)(.*)$/s.exec(text) as RegExpExecArray;
  if (magnitude === "0") return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
  let ms = 0;
  let end = 0;
  for (let match = part.exec(magnitude); match !== null; match = part.exec(magnitude)) {
    ms += Number(match[1]) * unitMs[match[2]];
    end = part.lastIndex;
  }
  if (end === 0 || end !== magnitude.length) {
    throw new ParseError(`${quote(text)} is not a duration; write for example 2ms or 1.5s`, 0);
  }
  if (ms > durationMsMax) throw new ParseError(`${quote(text)} is longer than 292 years`, 0);
  return sign === "-" ? -ms : ms;
}

export function formatGoDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 0) return `-${formatGoDuration(-ms)}`;
  if (ms < 1e-3) return `${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${trimmed(ms * 1e3)}µs`;
  if (ms < 1000) return `${trimmed(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${trimmed((ms % 60_000) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** At most nanoseconds of a second are meant: nine digits. */
function trimmed(value: number): string {
  return String(Number(value.toFixed(9)));
}
