/**
 * Reads an index file that is damaged somewhere: everything in it is there twice, so most damage costs nothing.
 *
 * - the postings lists and their table can be made anew from the series' entries
 * - the table of contents: symbols begin behind the header, series behind the symbols, at multiples of 16
 * - the symbols: the postings lists say which series has which label pair
 * - a series' entry is there once: that series is lost, and the postings lists say which one it was
 */
import { CorruptionError } from "../../base/errors.ts";
import type { PagedFile } from "../../base/page-cache.ts";
import { compareLabels, Labels } from "../../model/labels.ts";
import {
  indexHeaderBytes,
  readHeader,
  readToc,
  sectionAt,
  seriesAlignment,
  type Toc,
} from "../index/format.ts";
import { openPostingsTable, type PostingsTable } from "../index/postings-table.ts";
import { postingsList, readChunks, readLabelRefs, seriesEntry } from "../index/reader.ts";
import { SymbolTable } from "../index/symbols.ts";

export interface SalvagedSeries {
  /** As the index and the tombstones name it. */
  readonly ref: number;
  readonly labels: Labels;
  /** mint, maxt, ref of each chunk. */
  readonly chunks: readonly number[];
}

export interface SalvagedIndex {
  /** In label order. */
  readonly series: readonly SalvagedSeries[];
  /** Every damaged place that was found. */
  readonly problems: readonly string[];
  /** Series that are lost: their labels as text, "" where they are not known. */
  readonly lostSeries: readonly string[];
}

/** `versionOverride` as for IndexReader.open. Throws a CorruptionError where nothing can be made of the file. */
export function salvageIndex(file: PagedFile, versionOverride?: number): SalvagedIndex {
  return new IndexSalvage(file, versionOverride).run();
}

class IndexSalvage {
  readonly #file: PagedFile;
  readonly #problems: string[] = [];
  readonly #version: number;
  readonly #toc: Toc | undefined;
  readonly #symbols: SymbolTable | undefined;
  readonly #table: PostingsTable | undefined;
  /** The label pairs of each series by what the postings say; read when they are needed. */
  #pairs: Map<number, string[]> | undefined;

  constructor(file: PagedFile, versionOverride: number | undefined) {
    this.#file = file;
    const header = this.#attempt(() => readHeader(file));
    // A header that is wrong says nothing about the rest. Only Prometheus 2.0 wrote version 1.
    this.#version = versionOverride ?? header?.version ?? 2;
    const toc = header?.toc ?? quiet(() => readToc(file));
    this.#toc = toc;
    this.#symbols = this.#attempt(() =>
      SymbolTable.open(file, toc?.symbols ?? indexHeaderBytes, this.#version),
    );
    this.#table = toc && this.#attempt(() => openPostingsTable(file, toc.postingsTable, this.#version));
  }

  run(): SalvagedIndex {
    const lists = this.#checkLists();
    const series: SalvagedSeries[] = [];
    const lostSeries: string[] = [];
    for (const ref of lists ?? this.#scan()) {
      const found = this.#attempt(() => this.#series(ref));
      const before = series.at(-1);
      if (found !== undefined && (before === undefined || compareLabels(before.labels, found.labels) < 0)) {
        series.push(found);
      } else if (lists !== undefined || found !== undefined) {
        if (found !== undefined) this.#problems.push(`${this.#file.path}: ${found.labels} is out of order`);
        lostSeries.push(found?.labels.toString() ?? this.#nameOf(ref));
      }
    }
    if (series.length === 0 && this.#problems.length > 0) {
      throw new CorruptionError(this.#file.path, 0, `no series can be saved: ${this.#problems.join("; ")}`);
    }
    return { series, problems: this.#problems, lostSeries };
  }

  /** Checks all postings lists; returns the refs of all series, undefined where that list is damaged. */
  #checkLists(): Iterable<number> | undefined {
    const table = this.#table;
    if (table === undefined) return undefined;
    for (const name of table.names()) {
      table.forEachValue(name, "", (_value, offset) => {
        this.#attempt(() => postingsList(this.#file, offset));
        return true;
      });
    }
    const all = table.find("", "");
    return all === undefined ? undefined : this.#attempt(() => postingsList(this.#file, all));
  }

  /** The refs of what looks like series entries, for version 2. */
  *#scan(): Iterable<number> {
    if (this.#version === 1) return;
    const file = this.#file;
    const symbols = quiet(() => sectionAt(file, this.#toc?.symbols ?? indexHeaderBytes));
    const start = this.#toc?.series ?? (symbols === undefined ? 0 : symbols.start + symbols.length + 4);
    const end = Math.min(this.#toc?.labelIndices || this.#toc?.postings || file.sizeBytes, file.sizeBytes);
    for (let at = Math.ceil(start / seriesAlignment) * seriesAlignment; at < end; ) {
      const entry = quiet(() => seriesEntry(file, at));
      const looksRight =
        entry !== undefined &&
        quiet(() => readLabelRefs(entry).length > 0 && readChunks(entry, -Infinity, Infinity).length > 0);
      if (looksRight) {
        yield at / seriesAlignment;
        at += entry.position + 4;
        at = Math.ceil(at / seriesAlignment) * seriesAlignment;
      } else {
        at += seriesAlignment;
      }
    }
  }

  #series(ref: number): SalvagedSeries {
    const file = this.#file;
    const offset = this.#version === 1 ? ref : ref * seriesAlignment;
    if (offset >= file.sizeBytes) throw new CorruptionError(file.path, offset, `there is no series ${ref}`);
    const entry = seriesEntry(file, offset);
    const refs = readLabelRefs(entry);
    const chunks = readChunks(entry, -Infinity, Infinity);
    const symbols = this.#symbols;
    if (symbols !== undefined)
      return { ref, labels: new Labels(refs.map((one) => symbols.get(one))), chunks };
    const pairs = this.#pairsOf(ref);
    if (pairs.length !== refs.length) {
      throw new CorruptionError(file.path, offset, `not all labels of series ${ref} can be saved`);
    }
    return { ref, labels: new Labels(pairs), chunks };
  }

  #nameOf(ref: number): string {
    const pairs = this.#pairsOf(ref);
    return pairs.length === 0 ? "" : new Labels(pairs).toString();
  }

  /** Names and values in the order of their names. */
  #pairsOf(ref: number): readonly string[] {
    this.#pairs ??= this.#readPairs();
    return this.#pairs.get(ref) ?? [];
  }

  #readPairs(): Map<number, string[]> {
    const pairs = new Map<number, string[]>();
    const table = this.#table;
    for (const name of table?.names() ?? []) {
      table?.forEachValue(name, "", (value, offset) => {
        for (const ref of quiet(() => postingsList(this.#file, offset)) ?? []) {
          const known = pairs.get(ref);
          if (known === undefined) pairs.set(ref, [name, value]);
          else known.push(name, value);
        }
        return true;
      });
    }
    return pairs;
  }

  /** Runs a reader; damage becomes one of the problems. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#problems.push(error.message);
      return undefined;
    }
  }
}

function quiet<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return undefined;
  }
}
