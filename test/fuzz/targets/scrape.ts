/**
 * The way of a scraped page into the storage: the scanner in TypeScript, the scanner in WebAssembly and the full parser
 * on every line must come to the same samples, reports, exemplars and metadata, whatever pages come one after the other.
 * An input is a byte that chooses the target's settings, then pages with form feeds between them.
 */
import { ScrapeMemory } from "../../../src/kernels/scrape-memory.ts";
import { readPage } from "../../../src/kernels/scrape-reader.ts";
import { newIngestStats } from "../../../src/scrape/ingest-stats.ts";
import { TargetIngest } from "../../../src/scrape/ingest-target.ts";
import type { TargetSettings } from "../../../src/scrape/sink.ts";
import { ManualClock } from "../../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../../src/testkit/recording-logger.ts";
import { kernel, readLineByLine, target } from "../../scrape/ingest-fixture.ts";
import { RecordingAppender } from "../../scrape/recording-appender.ts";
import { joined } from "../mutate.ts";
import { check, type FuzzTarget, texts } from "../target.ts";
import { expositionWords, openMetricsPages, protobufPages, sharedPages, textPages } from "./exposition.ts";

const formFeed = 0x0c;
const pagesMax = 5;
/** Each is read two times in three ways. */
const pageBytesMax = 512;
const scrapesPerProtobufPage = 2;

const settings: readonly Partial<TargetSettings>[] = [
  {},
  { trackTimestampsStaleness: true },
  { honorTimestamps: false },
  { sampleLimit: 5, honorLabels: true },
  { labelLimit: 4, labelNameLengthLimit: 20, labelValueLengthLimit: 20, validationScheme: "legacy" },
  { histograms: { native: true, classic: true, convert: true } },
  { histograms: { native: true, classic: false, convert: true }, bucketLimit: 2, schemaMax: 0 },
];

interface Path {
  readonly name: string;
  readonly memory: ScrapeMemory;
  readonly read: typeof readPage;
}

/** Made when first used: the kernel may have to be built. */
let made: readonly Path[] | undefined;

function paths(): readonly Path[] {
  made ??= [
    { name: "line by line", memory: new ScrapeMemory(1), read: readLineByLine },
    { name: "TypeScript", memory: new ScrapeMemory(1), read: readPage },
    { name: "WebAssembly", memory: new ScrapeMemory(2, kernel()), read: readPage },
  ];
  return made;
}

/** What pages lead to, as text. Also whether the last one was accepted. */
function ingest(
  path: Path,
  overrides: Partial<TargetSettings>,
  pages: readonly Uint8Array[],
  contentType: string,
): { seen: string; accepted: boolean } {
  const appender = new RecordingAppender();
  const logger = new RecordingLogger();
  const stats = newIngestStats();
  const { memory, read } = path;
  const usedBefore = memory.usedBytes;
  const ingest = new TargetIngest(
    { appender, clock: new ManualClock(), logger, memory, exemplars: true, stats, read },
    { ...target, ...overrides },
  );
  const seen: string[] = [];
  let accepted = false;
  try {
    for (const [i, body] of pages.entries()) {
      const report = ingest.deliver({ t: 1000 * (i + 1), durationMs: 250, body, contentType, error: "" });
      accepted = report.error === "";
      seen.push(Object.values(report).join(" "));
    }
    for (const { metric, type, help, unit } of ingest.metadata())
      seen.push(`${metric} ${type} ${help} ${unit}`);
  } finally {
    ingest.close(1000 * (pages.length + 1));
  }
  check(memory.usedBytes === usedBefore, "a closed target keeps memory");
  const [failure] = logger.at("error");
  check(failure === undefined, `${failure?.message}: ${failure?.fields.err} ${failure?.fields.stack}`);
  const { cacheBytes: _, ...counters } = stats;
  const exemplars = appender.exemplars.map(
    ({ series, exemplar: { labels, value, t, hasTimestamp } }) =>
      `${series} # ${labels} ${value} ${t} ${hasTimestamp}`,
  );
  seen.push(...appender.dump(), Object.values(counters).join(" "), ...exemplars);
  return { seen: seen.join("\n"), accepted };
}

function compareAll(input: Uint8Array, contentType: string): boolean {
  const pages = split(input.subarray(1));
  const overrides = settingsOf(input);
  const [oracle, ...others] = paths();
  const want = ingest(oracle, overrides, pages, contentType);
  for (const path of others) {
    const got = ingest(path, overrides, pages, contentType);
    check(got.seen === want.seen, `${path.name} differs from ${oracle.name}`);
  }
  return want.accepted;
}

function settingsOf(input: Uint8Array): Partial<TargetSettings> {
  return settings[(input[0] ?? 0) % settings.length];
}

function split(input: Uint8Array): Uint8Array[] {
  const pages: Uint8Array[] = [];
  let start = 0;
  while (pages.length < pagesMax - 1) {
    const end = input.indexOf(formFeed, start);
    if (end < 0) break;
    pages.push(input.subarray(start, end));
    start = end + 1;
  }
  return [...pages, input.subarray(start)];
}

/** Each page twice, with the numbers at the line ends changed in between. */
function pairs(pages: readonly Uint8Array[]): Uint8Array[] {
  const decoder = new TextDecoder();
  return texts(
    ...pages.map((bytes) => {
      const page = decoder.decode(bytes);
      return `\0${page}\f${page.replace(/(\d)$/gm, "$17")}`;
    }),
  );
}

export const scrapeTargets: readonly FuzzTarget[] = [
  {
    name: "scrape-text",
    share: 1,
    seeds: () => pairs([...texts(...textPages), ...sharedPages(false, pageBytesMax)]),
    dictionary: [...expositionWords, "\f"],
    run: (input) => compareAll(input, "text/plain"),
  },
  {
    name: "scrape-openmetrics",
    share: 1,
    seeds: () => pairs([...texts(...openMetricsPages), ...sharedPages(true, pageBytesMax)]),
    dictionary: [...expositionWords, "\f"],
    run: (input) => compareAll(input, "application/openmetrics-text"),
  },
  {
    name: "scrape-protobuf",
    share: 1,
    seeds: () => protobufPages.map((page) => joined(Uint8Array.of(0), page)),
    run(input) {
      const pages = new Array<Uint8Array>(scrapesPerProtobufPage).fill(input.subarray(1));
      return ingest(paths()[0], settingsOf(input), pages, "application/vnd.google.protobuf").accepted;
    },
  },
];
