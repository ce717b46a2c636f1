/**
 * The worked examples in docs/formats/*.md. A fenced block "hex NAME" holds bytes as hex digits, in groups parted by
 * single spaces; two spaces begin a line's explanation.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function exampleText(page: string, kind: string, name: string): string {
  const path = join(import.meta.dirname, "../../docs/formats", page);
  const text = readFileSync(path, "utf8");
  const block = new RegExp(`^\`\`\`${kind} ${name}\n(.*?)\n\`\`\`$`, "ms").exec(text);
  if (block === null) throw new Error(`${page} has no example "${kind} ${name}"`);
  return block[1];
}

export function hexExample(page: string, name: string): Uint8Array {
  const digits = exampleText(page, "hex", name)
    .split("\n")
    .map((line) => line.split("  ")[0].replaceAll(" ", ""))
    .join("");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`${page}, ${name}: not hexadecimal: ${digits}`);
  return new Uint8Array(Buffer.from(digits, "hex"));
}
