/** The parameters that several endpoints have, read with Prometheus's checks and error texts. */
import { ApiError, invalidParameter } from "../answer.ts";
import type { FormValues } from "./form.ts";
import { parseGoInt } from "./go-numbers.ts";
import { type Instant, parseDuration, parseTime, toMs } from "./time.ts";

/** Runs a parser of this folder; what it throws becomes the error of parameter `name`. */
export function readParameter<T>(name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    throw invalidParameter(name, (error as Error).message);
  }
}

/** For the endpoints that, unlike others, refuse a form of which a part cannot be read. */
export function checkForm(form: FormValues): void {
  if (form.problem !== "") throw new ApiError("bad_data", `error parsing form values: ${form.problem}`);
}

/** `limit`: 0 for none. */
export function readLimit(form: FormValues): number {
  const text = form.get("limit");
  if (text === "") return 0;
  const limit = readParameter("limit", text, (value) => parseGoInt(value));
  if (limit < 0) throw invalidParameter("limit", "limit must be non-negative");
  return limit;
}

/** A time that may be missing. */
export function readTime(form: FormValues, name: string, missing: Instant): Instant {
  const text = form.get(name);
  if (text === "") return missing;
  return readParameter(name, text, (value) => {
    try {
      return parseTime(value);
    } catch (error) {
      throw new Error(`invalid time value for '${name}': ${(error as Error).message}`);
    }
  });
}

/** `timeout` in milliseconds; undefined where there is none. */
export function readTimeout(form: FormValues): number | undefined {
  const text = form.get("timeout");
  if (text === "") return undefined;
  return Number(readParameter("timeout", text, parseDuration)) / 1e6;
}

/** `lookback_delta` in milliseconds; 0 for the server's. */
export function readLookback(form: FormValues): number {
  const text = form.get("lookback_delta");
  if (text === "") return 0;
  try {
    return Number(parseDuration(text) / 1_000_000n);
  } catch (error) {
    throw new ApiError("bad_data", `error parsing lookback delta duration: ${(error as Error).message}`);
  }
}

/** `start` and `end` of the endpoints that select series, both optional. */
export function readBounds(
  form: FormValues,
  earliest: Instant,
  latest: Instant,
): { startMs: number; endMs: number } {
  const startMs = toMs(readTime(form, "start", earliest));
  return { startMs, endMs: toMs(readTime(form, "end", latest)) };
}
