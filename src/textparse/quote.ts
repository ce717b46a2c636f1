/** Bytes of a page in an error message, as Go's %q prints them: what is no UTF-8 as \\x and two digits. */
import { quote } from "../base/quote.ts";

/** Longer pieces are cut: an error travels to the targets page, and a hostile page may be one endless line. */
const quotedBytesMax = 1024;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end && bytes[i] < 0x80) i++;
  if (i === end) return true;
  try {
    fatalDecoder.decode(bytes.subarray(i, end));
    return true;
  } catch {
    return false;
  }
}

export function quoteBytes(bytes: Uint8Array, start: number, end: number): string {
  const cut = Math.min(end, start + quotedBytesMax);
  const whole = isUtf8(bytes, start, cut);
  const text = whole ? quote(decoder.decode(bytes.subarray(start, cut))) : quoteBroken(bytes, start, cut);
  return cut < end ? `${text}… (${end - start} bytes)` : text;
}

function quoteBroken(bytes: Uint8Array, start: number, end: number): string {
  let out = "";
  for (let i = start; i < end; ) {
    const length = characterLength(bytes, i, end);
    if (length === 0) out += `\\x${bytes[i].toString(16).padStart(2, "0")}`;
    else out += quote(decoder.decode(bytes.subarray(i, i + length))).slice(1, -1);
    i += length === 0 ? 1 : length;
  }
  return `"${out}"`;
}

/** Bytes of the character at `at`; 0 where there is none. */
function characterLength(bytes: Uint8Array, at: number, end: number): number {
  for (let length = 1; length <= 4 && at + length <= end; length++) {
    if (isUtf8(bytes, at, at + length)) return length;
  }
  return 0;
}
