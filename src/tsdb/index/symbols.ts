/**
 * The symbol table of an index file: all label names and values, sorted, each once.
 *
 *   section content = u32 count · { uvarint length · UTF-8 bytes } …
 *
 * Only the place of every 32nd symbol is held in memory, and a bounded number of symbols that were asked for.
 */
import { ByteReader } from "../../base/bytes.ts";
import type { PagedFile } from "../../base/page-cache.ts";
import { type Section, sampling, scanEntries, sectionAt, verifySection } from "./format.ts";

/** Symbols kept per generation; there are two generations. */
const cachedSymbols = 1 << 15;

/** Enough for a walk over a few typical symbols in one read. */
const windowBytes = 1024;

export class SymbolTable {
  readonly #file: PagedFile;
  readonly #section: Section;
  readonly #version: number;
  readonly #count: number;
  /** Offsets in the section of the symbols 0, 32, 64 …; version 2 only. */
  readonly #samples: Uint32Array;
  #young = new Map<number, string>();
  #old = new Map<number, string>();

  private constructor(
    file: PagedFile,
    section: Section,
    version: number,
    count: number,
    samples: Uint32Array,
  ) {
    this.#file = file;
    this.#section = section;
    this.#version = version;
    this.#count = count;
    this.#samples = samples;
  }

  /** Reads the table once, checksum included. */
  static open(file: PagedFile, offset: number, version: number): SymbolTable {
    const section = sectionAt(file, offset);
    verifySection(file, section, "symbol table");
    const head = new ByteReader(
      file.view(section.start, Math.min(4, section.length)),
      file.path,
      section.start,
    );
    const count = head.u32();
    // A symbol has at least its length byte.
    if (count > section.length - 4) throw head.corrupt(`${count} symbols in ${section.length} bytes`);
    const samples = new Uint32Array(version === 1 ? 0 : Math.ceil(count / sampling));
    let seen = 0;
    scanEntries(file, section, 4, count, (reader, at) => {
      if (version !== 1 && seen % sampling === 0) samples[seen / sampling] = at;
      reader.skip(reader.uvarint());
      seen++;
      return true;
    });
    return new SymbolTable(file, section, version, count, samples);
  }

  /** The symbol with this ref; throws a CorruptionError where there is none. */
  get(ref: number): string {
    let symbol = this.#young.get(ref);
    if (symbol !== undefined) return symbol;
    symbol = this.#old.get(ref) ?? this.#read(ref);
    if (this.#young.size >= cachedSymbols) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(ref, symbol);
    return symbol;
  }

  #read(ref: number): string {
    const { start, length } = this.#section;
    let at = ref;
    let skip = 0;
    if (this.#version === 1) at -= start;
    else if (ref < this.#count) {
      at = this.#samples[Math.floor(ref / sampling)];
      skip = ref % sampling;
    } else at = -1;
    if (at < 4 || at >= length) {
      throw new ByteReader(new Uint8Array(0), this.#file.path, start).corrupt(`there is no symbol ${ref}`);
    }
    let symbol = "";
    scanEntries(
      this.#file,
      this.#section,
      at,
      skip + 1,
      (reader) => {
        // Counted only once the entry was read whole: one that crosses the window's end is read twice.
        if (skip > 0) reader.skip(reader.uvarint());
        else symbol = reader.string();
        skip--;
        return true;
      },
      windowBytes,
    );
    return symbol;
  }
}
