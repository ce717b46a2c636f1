// One target in front of a RecordingAppender: pages in, samples out.
import { readFileSync } from "node:fs";
import { buildKernels } from "../../scripts/build.mjs";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { scrapeKernel } from "../../src/kernels/scrape-kernel.ts";
import { ScrapeMemory } from "../../src/kernels/scrape-memory.ts";
import { type PageHandler, readPage } from "../../src/kernels/scrape-reader.ts";
import { ScrapeIngest } from "../../src/scrape/ingest.ts";
import type { ScrapeReport, TargetSettings } from "../../src/scrape/sink.ts";
import { ManualClock } from "../../src/testkit/manual-clock.ts";
import { RecordingLogger } from "../../src/testkit/recording-logger.ts";
import { classicOnly } from "../../src/textparse/events.ts";
import { RecordingAppender } from "./recording-appender.ts";

export const target: TargetSettings = {
  id: 1,
  labels: ["instance", "i", "job", "j"],
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  metricRelabel: [],
  validationScheme: "utf8",
  startTimes: false,
  fallbackProtocol: "",
  histograms: classicOnly,
  bucketLimit: 0,
  schemaMax: 8,
  sampleLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  bodySizeLimitBytes: 0,
  extraMetrics: false,
  intervalMs: 15_000,
  timeoutMs: 10_000,
};

/** The WebAssembly scanner, built if need be. */
export function kernel(): ConstructorParameters<typeof ScrapeMemory>[1] {
  buildKernels();
  return scrapeKernel(readFileSync(new URL("../../src/kernels/scrape.wasm", import.meta.url)));
}

/** The oracle: every line goes through the full parser. */
export function readLineByLine(
  _memory: unknown,
  _cache: unknown,
  _page: Uint8Array,
  handler: PageHandler,
): void {
  let offset = 0;
  while (offset >= 0) offset = handler.line(offset);
}

export class IngestFixture {
  readonly appender = new RecordingAppender();
  readonly clock = new ManualClock();
  readonly logger = new RecordingLogger();
  readonly memory: ScrapeMemory;
  readonly ingest: ScrapeIngest;
  readonly #exemplars: boolean;

  constructor(
    settings: Partial<TargetSettings> = {},
    { memory = new ScrapeMemory(1), read = readPage, exemplars = true } = {},
  ) {
    this.memory = memory;
    this.#exemplars = exemplars;
    const { appender, clock, logger } = this;
    this.ingest = new ScrapeIngest({ appender, clock, logger, memory, exemplars: this.#exemplars }, read);
    this.ingest.open({ ...target, ...settings });
  }

  /** One scrape at `seconds` after the clock's beginning. */
  scrape(seconds: number, page: string | Uint8Array, contentType = "text/plain"): Promise<ScrapeReport> {
    const body = typeof page === "string" ? encodeUtf8(page) : page;
    return this.ingest.deliver(1, { t: seconds * 1000, durationMs: 250, body, contentType, error: "" });
  }

  fail(seconds: number, error: string): Promise<ScrapeReport> {
    return this.ingest.deliver(1, {
      t: seconds * 1000,
      durationMs: 250,
      body: undefined,
      contentType: "",
      error,
    });
  }

  /** What is stored of the page itself, without the target's labels and the report series. */
  samples(): string[] {
    return this.appender
      .dump()
      .filter((line) => !/^(up|scrape_\w+)\{instance="i", job="j"\} /.test(line))
      .map((line) =>
        line
          .replace(/,? ?instance="i", job="j"/, "")
          .replace(/\{,? ?/, "{")
          .replace("{}", ""),
      );
  }

  /** The stored values of a report series. */
  report(name: string): string {
    const line = this.appender.dump().find((text) => text.startsWith(`${name}{`));
    return line?.slice(line.indexOf("} ") + 2) ?? "";
  }
}
