/** What the head says of itself: the tables of status/tsdb, and which series of the WAL live in it. */
import { utf8Length } from "../../base/strings.ts";
import { directoryHeaderWords, Root, recordsPerPage, Series } from "../../kernels/head-layout.ts";
import { metricName } from "../../model/labels.ts";
import { ReaderPin } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import type { HeadMemory } from "./memory.ts";
import { PairStrings } from "./pair-strings.ts";
import { isLiveRecord, walRefOf } from "./series-table.ts";

export interface NameCount {
  readonly name: string;
  readonly value: number;
}

/** Counts over all series of the head; each table has at most as many rows as asked for, largest first. */
export interface HeadStatus {
  readonly numSeries: number;
  readonly numLabelPairs: number;
  /** Infinity and -Infinity when the head is empty. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly seriesCountByMetricName: readonly NameCount[];
  readonly labelValueCountByLabelName: readonly NameCount[];
  readonly memoryInBytesByLabelName: readonly NameCount[];
  readonly seriesCountByLabelValuePair: readonly NameCount[];
}

/** `owner` is the thread's, as for queries. */
export function headStatus(memory: HeadMemory, owner: number, limit: number): HeadStatus {
  const pin = ReaderPin.open(memory, owner);
  try {
    const strings = new PairStrings(memory);
    const index = new HeadIndex(memory, strings, pin.state);
    const byMetric: NameCount[] = [];
    const byPair: NameCount[] = [];
    const valueCounts: NameCount[] = [];
    const valueBytes: NameCount[] = [];
    let numLabelPairs = 0;
    for (const name of index.names()) {
      const values = index.valuesOf(name);
      let bytes = 0;
      for (const id of values) {
        const text = strings.value(id);
        const series = index.sizeOf([id]);
        // As Prometheus counts: both strings and a length byte for each, in every series.
        bytes += (utf8Length(name) + utf8Length(text) + 2) * series;
        byPair.push({ name: `${name}=${text}`, value: series });
        if (name === metricName) byMetric.push({ name: text, value: series });
      }
      numLabelPairs += values.length;
      valueCounts.push({ name, value: values.length });
      valueBytes.push({ name, value: bytes });
    }
    const { minTime, maxTime, initialized } = pin.state;
    return {
      numSeries: index.all().n,
      numLabelPairs,
      minTime: initialized ? minTime : Number.POSITIVE_INFINITY,
      maxTime: initialized ? maxTime : Number.NEGATIVE_INFINITY,
      seriesCountByMetricName: largest(byMetric, limit),
      labelValueCountByLabelName: largest(valueCounts, limit),
      memoryInBytesByLabelName: largest(valueBytes, limit),
      seriesCountByLabelValuePair: largest(byPair, limit),
    };
  } finally {
    pin.close();
  }
}

function largest(rows: NameCount[], limit: number): NameCount[] {
  return rows.sort((a, b) => b.value - a.value).slice(0, limit);
}

/** The WAL refs of all series that live, also of a batch that is being committed. */
export function liveWalRefs(memory: HeadMemory, owner: number): Set<number> {
  const pin = ReaderPin.open(memory, owner);
  try {
    const { words } = memory;
    const walRefs = new Set<number>();
    // In this order: a directory that is loaded later has room for all refs that were there before.
    const pages = Math.floor(Atomics.load(words, Root.lastRef) / recordsPerPage);
    const directory = Atomics.load(words, Root.seriesDirectory) + directoryHeaderWords;
    for (let page = 0; page <= pages; page++) {
      const records = words[directory + page];
      if (records === 0) continue;
      for (let i = 0; i < recordsPerPage; i++) {
        const record = records + i * Series.words;
        if (isLiveRecord(words, record)) walRefs.add(walRefOf(words, record));
      }
    }
    return walRefs;
  } finally {
    pin.close();
  }
}
