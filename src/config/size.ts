/** Sizes as Prometheus writes them: `512MB`, `1GiB`, `1.5GB`, `10B`; powers of two whether or not there is an "i". */
import { ParseError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";

const letters = "KMGTPE";
/** Sizes are int64 there. */
const bytesMax = 2 ** 63;

/** Bytes. Throws a ParseError. A unit is required but for "0"; parts add up: `1MB512KB`. */
export function parseSize(text: string): number {
  const [, sign, magnitude] = /^([-+]?)(.*)$/s.exec(text) as RegExpExecArray;
  if (magnitude === "0") return 0;
  // All units of one text are of one kind: with "i" or without.
  const bytes = sumParts(magnitude, "iB") ?? sumParts(magnitude, "B");
  if (bytes === undefined || bytes >= bytesMax) {
    throw new ParseError(`${quote(text)} is not a size; write for example 512MB or 10GiB`, 0);
  }
  return sign === "-" ? -bytes : bytes;
}

function sumParts(text: string, suffix: "iB" | "B"): number | undefined {
  const part = /(\d+\.?\d*|\.\d+)([^\d.]+)/gy;
  let sum = 0;
  let end = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    const scale = unitBytes(match[2], suffix);
    if (scale === undefined) return undefined;
    sum += Number(match[1]) * scale;
    end = part.lastIndex;
  }
  return end === text.length && end > 0 ? Math.trunc(sum) : undefined;
}

function unitBytes(unit: string, suffix: string): number | undefined {
  if (unit === "B") return 1;
  const power = letters.indexOf(unit[0]);
  return power >= 0 && unit.slice(1) === suffix ? 1024 ** (power + 1) : undefined;
}

/** All parts from large to small: "1GiB512MiB"; "0B" for nothing. */
export function formatSize(bytes: number): string {
  let rest = Math.abs(bytes);
  let text = "";
  for (let power = letters.length; power > 0; power--) {
    const count = Math.floor(rest / 1024 ** power);
    if (count === 0) continue;
    text += `${count}${letters[power - 1]}iB`;
    rest -= count * 1024 ** power;
  }
  if (rest > 0 || text === "") text += `${rest}B`;
  return bytes < 0 ? `-${text}` : text;
}
