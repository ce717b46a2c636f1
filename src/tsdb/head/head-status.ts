/** What the head says of itself: the tables of status/tsdb, and which series of the WAL live in it. */
import { directoryHeaderWords, Root, recordsPerPage, Series } from "../../kernels/head-layout.ts";
import { Cardinality, type IndexStatus } from "../index/cardinality.ts";
import { ReaderPin } from "./epochs.ts";
import { HeadIndex } from "./head-index.ts";
import type { HeadMemory } from "./memory.ts";
import { PairStrings } from "./pair-strings.ts";
import { isLiveRecord, walRefOf } from "./series-table.ts";

/** `owner` is the thread's, as for queries. */
export function headStatus(memory: HeadMemory, owner: number, limit: number): IndexStatus {
  const pin = ReaderPin.open(memory, owner);
  try {
    const strings = new PairStrings(memory);
    const index = new HeadIndex(memory, strings, pin.state);
    const cardinality = new Cardinality();
    for (const name of index.names()) {
      for (const id of index.valuesOf(name)) cardinality.add(name, strings.value(id), index.sizeOf([id]));
    }
    const { minTime, maxTime, initialized } = pin.state;
    return {
      ...cardinality.tables(limit),
      numSeries: index.all().n,
      minTime: initialized ? minTime : Number.POSITIVE_INFINITY,
      maxTime: initialized ? maxTime : Number.NEGATIVE_INFINITY,
    };
  } finally {
    pin.close();
  }
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
