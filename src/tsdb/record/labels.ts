/** Label sets in records: uvarint count, then name and value of each as length-prefixed UTF-8. */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { Labels } from "../../model/labels.ts";

export function readLabels(reader: ByteReader): Labels {
  const count = reader.uvarint();
  // Each takes at least its two length bytes.
  if (count * 2 > reader.remaining) throw reader.corrupt(`${count} labels in ${reader.remaining} bytes`);
  const pairs: string[] = [];
  for (let i = 0; i < count; i++) pairs.push(reader.string(), reader.string());
  return cleanLabels(pairs);
}

export function writeLabels(out: ByteWriter, labels: Labels): void {
  out.uvarint(labels.size);
  for (const text of labels.pairs) out.string(text);
}

/** Labels of pairs that a file held: sorted and clean if a Prometheus wrote it, but that is not to be relied on. */
export function cleanLabels(pairs: string[]): Labels {
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i + 1] === "" || (i > 0 && compareUtf8(pairs[i - 2], pairs[i]) >= 0)) {
      const entries: [string, string][] = [];
      for (let k = 0; k < pairs.length; k += 2) entries.push([pairs[k], pairs[k + 1]]);
      return Labels.of(entries);
    }
  }
  return new Labels(pairs);
}
