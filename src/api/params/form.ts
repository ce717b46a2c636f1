import { quote } from "../../base/quote.ts";

/**
 * The parameters of a request, as Go's `Request.FormValue` sees them: those of a form in the body come before those of
 * the URL. A pair with a broken escape or a semicolon is dropped.
 */
export class FormValues {
  readonly #values = new Map<string, string[]>();
  /** What was wrong with the first dropped pair; "" if none was. */
  #problem = "";

  /** The first value; "" where there is none. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? "";
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** What Go's `ParseForm` complains about; most handlers do not ask. */
  get problem(): string {
    return this.#problem;
  }

  /** Notes what is wrong with the form, unless something was before. */
  fail(problem: string): void {
    this.#problem ||= problem;
  }

  append(name: string, value: string): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  /** Adds the pairs of a query string or of an `application/x-www-form-urlencoded` body. */
  appendEncoded(encoded: string): void {
    for (const pair of encoded.split("&")) {
      if (pair === "") continue;
      if (pair.includes(";")) {
        this.fail("invalid semicolon separator in query");
        continue;
      }
      const equals = pair.indexOf("=");
      const bad = badEscape.exec(pair);
      if (bad !== null) this.fail(`invalid URL escape ${quote(bad[0])}`);
      else if (equals < 0) this.append(decodeForm(pair), "");
      else this.append(decodeForm(pair.slice(0, equals)), decodeForm(pair.slice(equals + 1)));
    }
  }
}

const badEscape = /%(?![0-9a-fA-F]{2})[^=]{0,2}/;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

function decodeForm(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decoder.decode(unescapeBytes(spaced));
  }
}

/** For escapes that are not UTF-8. */
function unescapeBytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x25) bytes[n++] = bytes[i];
    else {
      bytes[n++] = Number.parseInt(String.fromCharCode(bytes[i + 1], bytes[i + 2]), 16);
      i += 2;
    }
  }
  return bytes.subarray(0, n);
}
