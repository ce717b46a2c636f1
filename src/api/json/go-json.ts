/**
 * JSON of whole structures as Go's `encoding/json` prints it, which Prometheus's envelope, errors and status pages
 * follow: keys in the order given, "<", ">", "&", U+2028 and U+2029 escaped, exponents of at least two digits,
 * 64-bit integers (bigint) with all their digits, no field for what is undefined.
 */

/** JSON that is put in as it is. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function goJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return goString(value);
    case "number":
      return goNumber(value);
    case "bigint":
    case "boolean":
      return String(value);
    default:
      break;
  }
  if (value === null || value === undefined) return "null";
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${goString(key)}:${goJson(field)}`).join(",")}}`;
}

const mustEscape = /["\\<>&\x00-\x1f\u2028\u2029]/;
const goEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
  "\\b": "\\u0008",
  "\\f": "\\u000c",
};

export function goString(text: string): string {
  if (!mustEscape.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]|\\[\\bf]/g, (match) => goEscapes[match] ?? match);
}

function goNumber(value: number): string {
  return String(value).replace(/(e[-+])(\d)$/, "$10$2");
}

/** A 64-bit integer that travelled as the nearest double, or as an infinity: the extremes come back exactly. */
export function int64(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  if (value >= 2 ** 63) return 2n ** 63n - 1n;
  return value < -(2 ** 63) ? -(2n ** 63n) : BigInt(value);
}

/** A time as Go prints it in JSON: RFC 3339 in UTC, no trailing zeros in the fraction; undefined is Go's zero time. */
export function goTime(ms: number | undefined): string {
  if (ms === undefined) return "0001-01-01T00:00:00Z";
  return new Date(ms).toISOString().replace(/\.?0*Z$/, "Z");
}

/** Seconds without the noise below a nanosecond, which Go's durations do not have. */
export function wholeNanos(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e9;
}
