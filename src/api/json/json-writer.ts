/**
 * JSON straight to bytes. Strings come out as Prometheus's API prints them where it streams (labels, values): only
 * quotes, backslashes and control characters are escaped, everything else is UTF-8 as it is. (Where it marshals whole
 * structures instead, "<", ">" and "&" are escaped too: see go-json.ts.)
 */
const encoder = new TextEncoder();
const mustEscape = /["\\\x00-\x1f]/;
const shortTextMax = 48;

/** `text` in double quotes. */
export function quoteJson(text: string): string {
  if (!mustEscape.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/\\[\\bf]/g, (short) =>
    short === "\\b" ? "\\u0008" : short === "\\f" ? "\\u000c" : short,
  );
}

/** A growing buffer of JSON text. The bytes of {@link JsonWriter.finish} own their memory: they may be transferred. */
export class JsonWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Over the buffer that {@link reserve} returned last. */
  get view(): DataView {
    return this.#view;
  }

  /** The buffer with room for `extra` more bytes; write from {@link length} on, then {@link advance}. */
  reserve(extra: number): Uint8Array {
    const needed = this.#length + extra;
    if (needed > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      bigger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    return this.#bytes;
  }

  /** `end` is the new length. */
  advance(end: number): void {
    this.#length = end;
  }

  byte(value: number): void {
    const bytes = this.reserve(1);
    bytes[this.#length++] = value;
  }

  /** Text that is JSON already. */
  raw(text: string): void {
    const bytes = this.reserve(text.length * 3);
    let at = this.#length;
    if (text.length > shortTextMax) {
      this.#length = at + encoder.encodeInto(text, bytes.subarray(at)).written;
      return;
    }
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        this.#length += encoder.encodeInto(text, bytes.subarray(this.#length)).written;
        return;
      }
      bytes[at++] = code;
    }
    this.#length = at;
  }

  string(text: string): void {
    this.raw(quoteJson(text));
  }

  /** Everything written; the writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}
