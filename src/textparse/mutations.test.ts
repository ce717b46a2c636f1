// Thousands of broken pages (test/fuzz/ has millions): every parser ends, with entries or with a ParseError, and never with more than the page holds.
import { expect, test } from "vitest";
import { delimited, exemplar, family, label, message } from "../../test/scrape/protobuf-page.ts";
import { mutated, randomPage } from "../../test/scrape/random-pages.ts";
import { ParseError } from "../base/errors.ts";
import { SeededRandom } from "../testkit/seeded-random.ts";
import type { MediaType } from "./content-type.ts";
import { Entry } from "./events.ts";
import { newParser } from "./new-parser.ts";

const formats: readonly MediaType[] = [
  "text/plain",
  "application/openmetrics-text",
  "application/vnd.google.protobuf",
];

const histogram = message(label("a", "b"), [
  7,
  "bytes",
  message(
    [1, "varint", 3],
    [2, "double", 1.5],
    [3, "bytes", message([2, "double", 1], [3, "bytes", exemplar("t", 1, 5)])],
  ),
]);
const protobufPage = delimited(
  family("h", 4, histogram),
  family("g", 1, message([2, "bytes", message([1, "double", 1])])),
);

function read(format: MediaType, page: Uint8Array): { entries: number; failed: boolean } {
  const parser = newParser(format, page);
  let entries = 0;
  try {
    for (let entry = parser.next(); entry !== Entry.eof; entry = parser.next()) {
      entries++;
      if (entry !== Entry.series) continue;
      if (parser.labels().length < 2 || parser.seriesKey().length === 0)
        throw new Error("a series without a name");
      parser.exemplar();
    }
    if (parser.next() !== Entry.eof) throw new Error("an entry behind the end");
    return { entries, failed: false };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    if (error.message.length > 10_000) throw new Error("an endless message");
    return { entries, failed: true };
  }
}

function wholePage(random: SeededRandom, format: MediaType): Uint8Array {
  if (format === "application/vnd.google.protobuf") return protobufPage;
  for (;;) {
    const { body, contentType } = randomPage(random, 0);
    if (contentType.startsWith(format)) return body;
  }
}

test.each(formats.map((format, i) => [format, i + 1] as const))("%s", (format, seed) => {
  const random = new SeededRandom(seed);
  let failures = 0;
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) {
    const page = mutated(random, wholePage(random, format));
    const { entries, failed } = read(format, page);
    if (entries > page.length) throw new Error(`seed ${seed}, page ${i}: more entries than bytes`);
    if (failed) failures++;
  }
  // Both must happen, or nothing was tested.
  expect(failures).toBeGreaterThan(rounds / 20);
  expect(failures).toBeLessThan(rounds);
});
