/**
 * A label name in a URL's path may be escaped as Prometheus's "values" scheme does: "U__", then every character that
 * is not a letter, a digit or ":" as "_" + hexadecimal code point + "_", and "_" as "__".
 */
const prefix = "U__";
const escaped = /^(?:[^_]|__|_[0-9a-fA-F]{1,6}_)*$/;

/** The name itself where it has no prefix or is not well-formed. */
export function unescapeName(name: string): string {
  if (!name.startsWith(prefix)) return name;
  const body = name.slice(prefix.length);
  if (!escaped.test(body)) return name;
  let valid = true;
  const plain = body.replace(/_([0-9a-fA-F]*)_/g, (_, hex: string) => {
    if (hex === "") return "_";
    const code = Number.parseInt(hex, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) valid = false;
    return valid ? String.fromCodePoint(code) : "";
  });
  return valid ? plain : name;
}
