/**
 * Help, type and unit of a target's metric families, read again from the remembered comment lines whenever somebody
 * asks: they are asked for rarely, and so cost no memory beside the lines.
 */

import { decodeUtf8, encodeUtf8 } from "../base/bytes.ts";
import type { ScrapeCache } from "../kernels/scrape-cache.ts";
import { Format, formatShift, Kind } from "../kernels/scrape-layout.ts";
import { Entry, type ExpositionParser } from "../textparse/events.ts";
import { OpenMetricsParser } from "../textparse/openmetrics-parser.ts";
import { TextParser } from "../textparse/text-parser.ts";
import type { FamilyMetadata } from "./sink.ts";

type Part = "type" | "help" | "unit";

/** A comment line of the protobuf format, which has none: part, family and text. */
export function protobufComment(part: Part, family: string, text: string): Uint8Array {
  return encodeUtf8(`${part}\0${family}\0${text}`);
}

/** The part of a family that an entry gives; undefined for other entries. */
export function partOf(entry: Entry): Part | undefined {
  switch (entry) {
    case Entry.type:
      return "type";
    case Entry.help:
      return "help";
    case Entry.unit:
      return "unit";
    default:
      return undefined;
  }
}

/** In no particular order. Where lines of one family contradict each other, the last seen counts. */
export function familyMetadata(cache: ScrapeCache): FamilyMetadata[] {
  const slots: number[] = [];
  cache.forEach(Kind.comment, (slot) => slots.push(slot));
  slots.sort((a, b) => cache.seenAt(a) - cache.seenAt(b) || cache.orderOf(a) - cache.orderOf(b));
  const families = new Map<string, { metric: string; type: string; help: string; unit: string }>();
  for (const slot of slots) {
    const comment = readComment(cache.key(slot), (cache.flags(slot) >>> formatShift) & 3);
    if (comment === undefined) continue;
    let family = families.get(comment.family);
    if (family === undefined) {
      family = { metric: comment.family, type: "unknown", help: "", unit: "" };
      families.set(comment.family, family);
    }
    family[comment.part] = comment.text;
  }
  return [...families.values()];
}

function readComment(
  line: Uint8Array,
  format: number,
): { part: Part; family: string; text: string } | undefined {
  if (format === Format.protobuf) {
    const [part, family, ...text] = decodeUtf8(line).split("\0");
    return { part: part as Part, family, text: text.join("\0") };
  }
  const parser: ExpositionParser =
    format === Format.text ? new TextParser(line) : new OpenMetricsParser(line);
  const part = partOf(parser.next());
  if (part === undefined) return undefined;
  return { part, family: parser.familyName(), text: part === "type" ? parser.metricType : parser.text() };
}
