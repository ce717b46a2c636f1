/**
 * One page on its way into a batch: the scanner's columns are staged as they come, and every line that the scanner does
 * not know goes through the full parser, relabelling and the checks. What a line means is decided here and in
 * textparse alone; the scanner only repeats what was decided for the same bytes before.
 */
import { decodeUtf8 } from "../base/bytes.ts";
import type { ScrapeCache } from "../kernels/scrape-cache.ts";
import {
  Control,
  exemplarEndColumn,
  exemplarSampleColumn,
  exemplarStartColumn,
  exemplarTimeColumn,
  exemplarTimedColumn,
  exemplarValueColumn,
  explicitTime,
  Format,
  formatShift,
  Kind,
  markFlag,
  refColumn,
  slotColumn,
  timeColumn,
  typeShift,
  valueColumn,
} from "../kernels/scrape-layout.ts";
import type { ScrapeMemory } from "../kernels/scrape-memory.ts";
import type { PageHandler, readPage } from "../kernels/scrape-reader.ts";
import type { Histogram } from "../model/histogram.ts";
import type { Labels } from "../model/labels.ts";
import { type Appender, Outcome, refusedSeries, type SeriesRef } from "../storage/appender.ts";
import { Entry, type ExpositionParser, metricTypeCode, metricTypes } from "../textparse/events.ts";
import { parseValue } from "../textparse/float.ts";
import { OpenMetricsParser } from "../textparse/openmetrics-parser.ts";
import { TextParser } from "../textparse/text-parser.ts";
import type { TextualParser } from "../textparse/textual-parser.ts";
import { exemplarLabels, type SeriesLabels } from "./ingest-labels.ts";
import { partOf, protobufComment } from "./ingest-metadata.ts";
import type { SampleStage } from "./ingest-stage.ts";
import type { TargetSettings } from "./sink.ts";

export interface PageParts {
  readonly appender: Appender;
  readonly memory: ScrapeMemory;
  readonly cache: ScrapeCache;
  readonly stage: SampleStage;
  readonly labels: SeriesLabels;
  readonly settings: TargetSettings;
  /** False where nobody stores exemplars: they are checked, and left at that. */
  readonly exemplars: boolean;
}

const closingBrace = 0x7d;

export class PageIngest implements PageHandler {
  readonly #parts: PageParts;
  /** The time of samples that bring none, ms. */
  readonly #t: number;
  #format: number = Format.text;
  #parser: TextualParser | undefined;
  /** Series that were not remembered and got a sample. */
  seriesAdded = 0;
  /** Series that the storage did not take. */
  seriesRefused = 0;
  exemplarsOutOfOrder = 0;
  commentsChanged = false;

  constructor(parts: PageParts, t: number) {
    this.#parts = parts;
    this.#t = t;
  }

  /** Reads a text or OpenMetrics page with the scanner, `read`. Throws a ParseError or a PageRefusedError. */
  readText(page: Uint8Array, openMetrics: boolean, read: typeof readPage): void {
    const { memory, cache, settings } = this.#parts;
    this.#format = openMetrics ? Format.openMetrics : Format.text;
    this.#parser = openMetrics ? new OpenMetricsParser(page) : new TextParser(page);
    memory.setControl(Control.format, this.#format);
    memory.setControl(Control.honorTimestamps, settings.honorTimestamps ? 1 : 0);
    memory.f64[(memory.controlWord + Control.defaultTime) >> 1] = this.#t;
    read(memory, cache, page, this);
  }

  /** Reads a page entry by entry: protobuf, and lines whose histograms are converted. */
  readEntries(parser: ExpositionParser): void {
    this.#format = Format.protobuf;
    for (let entry = parser.next(); entry !== Entry.eof; entry = parser.next()) {
      const part = partOf(entry);
      if (entry === Entry.series) this.#ingestSeries(parser);
      else if (entry === Entry.histogram) this.#ingestSeries(parser, parser.histogram);
      else if (part !== undefined) {
        const text = part === "type" ? parser.metricType : parser.text();
        this.#rememberComment(protobufComment(part, parser.familyName(), text), 0);
      }
    }
  }

  drain(): void {
    const { memory, stage } = this.#parts;
    stage.stage(memory.control(Control.samples));
    if (this.#parts.exemplars) this.#appendExemplars(memory.control(Control.exemplars));
  }

  line(offset: number): number {
    const parser = this.#parser as TextualParser;
    const { memory } = this.#parts;
    parser.seek(offset, metricTypes[memory.control(Control.typeCode)]);
    do {
      const entry = parser.next();
      if (entry === Entry.eof) return -1;
      if (entry === Entry.series) this.#ingestSeries(parser);
      else if (entry === Entry.type) {
        const code = metricTypeCode(parser.metricType);
        memory.setControl(Control.typeCode, code);
        this.#rememberComment(parser.entryBytes(), markFlag | (code << typeShift));
      } else if (entry !== Entry.comment) this.#rememberComment(parser.entryBytes(), 0);
      // Other comments mean nothing, and are not worth remembering.
      // A parser that is not at the beginning of a line has something to complain about.
    } while (!parser.atLineStart);
    return parser.position;
  }

  number(start: number, end: number, out: Float64Array): boolean {
    const { bytes } = this.#parser as TextualParser;
    return parseValue(decodeUtf8(bytes.subarray(start, end)), out) === undefined;
  }

  #rememberComment(bytes: Uint8Array, flags: number): void {
    const { cache } = this.#parts;
    const all = Kind.comment | (this.#format << formatShift) | flags;
    let slot = cache.find(bytes);
    if (slot === 0) {
      slot = cache.insert(bytes, all);
      this.commentsChanged = true;
    } else cache.setFlags(slot, all);
    if (slot !== 0) cache.see(slot);
  }

  /** The parser's current sample, whether its series is remembered or not. */
  #ingestSeries(parser: ExpositionParser, histogram?: Histogram): void {
    const { cache, settings } = this.#parts;
    this.#bump(Control.total);
    const key = parser.seriesKey();
    const bare = key[key.length - 1] === closingBrace ? 0 : markFlag;
    const flags = (this.#format << formatShift) | bare;
    const slot = cache.find(key);
    const kind = slot === 0 ? Kind.free : cache.flags(slot) & 3;
    if (kind === Kind.dropped) {
      cache.setFlags(slot, Kind.dropped | flags);
      cache.see(slot);
      return;
    }
    const explicit = parser.hasTimestamp && settings.honorTimestamps;
    const repeated = slot !== 0 && !cache.see(slot) && !explicit;
    if (slot !== 0) cache.setFlags(slot, Kind.series | flags);
    // null: a histogram that has too many buckets.
    const limited = histogram === undefined ? undefined : (this.#parts.stage.limited(histogram) ?? null);
    const known = slot === 0 ? 0 : cache.ref(slot);
    let ref = known;
    if (known === 0) {
      const exposed = parser.labels();
      const labels = this.#parts.labels.ofSample(exposed);
      if (labels === undefined) return this.#rememberDropped(key, slot, flags);
      const t = explicit ? parser.t : this.#t;
      // Series beyond a limit must not even be created.
      if (!repeated && limited !== null && !this.#parts.stage.refuses(t))
        ref = this.#newSeries(exposed, labels);
    }
    this.#bump(Control.added);
    if (repeated) return this.#bump(Control.duplicates);
    if (limited === null) return;
    if (ref === refusedSeries) {
      this.seriesRefused++;
      return;
    }
    const isTaken =
      limited === undefined
        ? this.#stageOne(parser, slot, ref, explicit)
        : this.#stageHistogram(parser, limited, slot, ref, explicit);
    if (!isTaken) return;
    if (slot !== 0) cache.setRef(slot, ref);
    else this.#rememberSeries(key, Kind.series | flags, ref, explicit);
  }

  #newSeries(exposed: readonly string[], labels: Labels): SeriesRef {
    this.#parts.labels.refuseRepeated(exposed, labels);
    return this.#parts.appender.series(labels);
  }

  /** Relabelling drops the series. */
  #rememberDropped(key: Uint8Array, slot: number, flags: number): void {
    const { cache } = this.#parts;
    if (slot !== 0) return cache.setFlags(slot, Kind.dropped | flags);
    const dropped = cache.insert(key, Kind.dropped | flags);
    if (dropped !== 0) cache.see(dropped);
  }

  /** A key that is too long is not remembered: its line goes through the full parser every time. */
  #rememberSeries(key: Uint8Array, flags: number, ref: number, explicit: boolean): void {
    const { cache, stage, settings } = this.#parts;
    if (!stage.limitExceeded) this.seriesAdded++;
    const slot = cache.insert(key, flags);
    if (slot === 0) return;
    cache.see(slot);
    cache.setRef(slot, ref);
    if (!explicit || settings.trackTimestampsStaleness) cache.track(slot);
  }

  /** Stages the parser's sample by way of the columns; false where it was refused. */
  #stageOne(parser: ExpositionParser, slot: number, ref: number, explicit: boolean): boolean {
    const { memory, stage, appender, exemplars } = this.#parts;
    const t = explicit ? parser.t : this.#t;
    memory.u32[slotColumn >> 2] = explicit ? slot | explicitTime : slot;
    memory.u32[refColumn >> 2] = ref;
    memory.f64[timeColumn >> 3] = t;
    memory.f64.set(parser.value, valueColumn >> 3);
    stage.stage(1, this.#startOf(parser));
    if (!stage.isTaken(0)) return false;
    if (!exemplars) return true;
    const exemplar = parser.exemplar();
    if (exemplar !== undefined) {
      const { value, hasTimestamp } = exemplar;
      const at = hasTimestamp ? exemplar.t : t;
      this.#count(
        appender.appendExemplar(ref, { labels: exemplarLabels(exemplar.labels), value, t: at, hasTimestamp }),
      );
    }
    return true;
  }

  /** Since when the parser's sample counts; 0 where nobody wants to know. */
  #startOf(parser: ExpositionParser): number {
    return this.#parts.settings.startTimes ? parser.startTime() : 0;
  }

  /** Likewise for the parser's native histogram. */
  #stageHistogram(
    parser: ExpositionParser,
    histogram: Histogram,
    slot: number,
    ref: number,
    explicit: boolean,
  ): boolean {
    const { stage, appender, exemplars } = this.#parts;
    const t = explicit ? parser.t : this.#t;
    if (!stage.stageHistogram(ref, slot, t, explicit, histogram, this.#startOf(parser))) return false;
    if (!exemplars) return true;
    const all = [...(parser.histogramExemplars?.() ?? [])].sort((a, b) => a.t - b.t);
    let outOfOrder = 0;
    for (const { labels, value, t, hasTimestamp } of all) {
      const exemplar = { labels: exemplarLabels(labels), value, t, hasTimestamp };
      if (appender.appendExemplar(ref, exemplar) === Outcome.outOfOrder) outOfOrder++;
    }
    // Where some are new, those that are not were sent before.
    if (outOfOrder === all.length) this.exemplarsOutOfOrder += outOfOrder;
    return true;
  }

  /** Of the samples that were just staged. */
  #appendExemplars(n: number): void {
    const { memory, stage, appender } = this.#parts;
    const { u8, u32, f64 } = memory;
    for (let i = 0; i < n; i++) {
      const sample = u32[(exemplarSampleColumn >> 2) + i];
      if (!stage.isTaken(sample)) continue;
      const start = u32[(exemplarStartColumn >> 2) + i];
      const labels = decodeUtf8(u8.subarray(start, u32[(exemplarEndColumn >> 2) + i]));
      const hasTimestamp = u32[(exemplarTimedColumn >> 2) + i] === 1;
      const t = f64[((hasTimestamp ? exemplarTimeColumn : timeColumn) >> 3) + (hasTimestamp ? i : sample)];
      const value = f64[(exemplarValueColumn >> 3) + i];
      const ref = u32[(refColumn >> 2) + sample];
      this.#count(
        appender.appendExemplar(ref, { labels: exemplarLabels(plainPairs(labels)), value, t, hasTimestamp }),
      );
    }
  }

  #count(outcome: Outcome): void {
    if (outcome === Outcome.outOfOrder) this.exemplarsOutOfOrder++;
  }

  #bump(word: number): void {
    const { memory } = this.#parts;
    memory.setControl(word, memory.control(word) + 1);
  }
}

/** `name="value",…` without escapes, as the scanner lets it pass. */
function plainPairs(text: string): string[] {
  return [...text.matchAll(/([^=,]+)="([^"]*)"/g)].flatMap(([, name, value]) => [name, value]);
}
