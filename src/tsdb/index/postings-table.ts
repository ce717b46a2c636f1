/**
 * The postings offset table of an index file: where the postings list of each label pair lies.
 *
 *   section content = u32 count · { uvarint 2 · name · value · uvarint offset in the file } …
 *
 * with strings as uvarint length and UTF-8 bytes. Version 2 sorts it by name and value: then only every 32nd and the
 * last value of each name are held in memory. Version 1 has no order and is held whole. The pair of two empty
 * strings stands for all series.
 */
import { ByteReader, decodeUtf8 } from "../../base/bytes.ts";
import type { PagedFile } from "../../base/page-cache.ts";
import { compareUtf8 } from "../../base/strings.ts";
import { type Section, sampling, scanEntries, sectionAt, verifySection } from "./format.ts";

/** For how much to read at once. */
const typicalEntryBytes = 64;
const windowBytesMax = 256 * 1024;

/** What is held of one label name. */
interface Name {
  /** Values 0, 32, 64 … and the last one; with where their entries begin in the section. */
  readonly values: string[];
  readonly entries: number[];
  count: number;
}

/** Called with a value and the file offset of its postings list; returns whether to go on. */
export type OnValue = (value: string, postingsOffset: number) => boolean;

export interface PostingsTable {
  /** All label names, sorted, without the empty one. */
  names(): string[];
  /** How many values a name has. */
  valueCount(name: string): number;
  /** Calls `onValue` for the values >= `from` of a name, in order. */
  forEachValue(name: string, from: string, onValue: OnValue): void;
  /** Where the postings list of a pair lies. */
  find(name: string, value: string): number | undefined;
}

/** Reads the table once, checksum included. */
export function openPostingsTable(file: PagedFile, offset: number, version: number): PostingsTable {
  const section = sectionAt(file, offset);
  verifySection(file, section, "postings offset table");
  const head = new ByteReader(
    file.view(section.start, Math.min(4, section.length)),
    file.path,
    section.start,
  );
  const count = head.u32();
  // The shortest entry: three varints of one byte each and an offset.
  if (count > section.length / 4) throw head.corrupt(`${count} entries in ${section.length} bytes`);
  return version === 1 ? readUnsorted(file, section, count) : readSorted(file, section, count);
}

function skipPairCount(reader: ByteReader): void {
  const keys = reader.uvarint();
  if (keys !== 2) throw reader.corrupt(`a postings offset entry with ${keys} keys, 2 expected`);
}

function readSorted(file: PagedFile, section: Section, count: number): PostingsTable {
  const names = new Map<string, Name>();
  let nameBytes: Uint8Array = new Uint8Array(0);
  let name: Name | undefined;
  let lastValue: Uint8Array = nameBytes;
  let lastEntry = 0;
  const closeName = () => {
    if (name === undefined || (name.count - 1) % sampling === 0) return;
    name.values.push(decodeUtf8(lastValue));
    name.entries.push(lastEntry);
  };
  scanEntries(file, section, 4, count, (reader, at) => {
    skipPairCount(reader);
    const entryName = reader.view(reader.uvarint());
    const value = reader.view(reader.uvarint());
    reader.uvarint();
    if (name === undefined || !sameBytes(entryName, nameBytes)) {
      closeName();
      const text = decodeUtf8(entryName);
      if (names.has(text))
        throw reader.corrupt(`the label name ${JSON.stringify(text)} appears in two places`);
      name = { values: [], entries: [], count: 0 };
      names.set(text, name);
      nameBytes = entryName;
    }
    if (name.count % sampling === 0) {
      name.values.push(decodeUtf8(value));
      name.entries.push(at);
    }
    name.count++;
    lastValue = value;
    lastEntry = at;
    return true;
  });
  closeName();
  return new SortedPostingsTable(file, section, names);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

class SortedPostingsTable implements PostingsTable {
  readonly #file: PagedFile;
  readonly #section: Section;
  readonly #names: ReadonlyMap<string, Name>;

  constructor(file: PagedFile, section: Section, names: ReadonlyMap<string, Name>) {
    this.#file = file;
    this.#section = section;
    this.#names = names;
  }

  names(): string[] {
    return [...this.#names.keys()].filter((name) => name !== "").sort(compareUtf8);
  }

  valueCount(name: string): number {
    return this.#names.get(name)?.count ?? 0;
  }

  forEachValue(name: string, from: string, onValue: OnValue): void {
    const held = this.#names.get(name);
    if (held === undefined) return;
    const sample = lastAtMost(held.values, from);
    // The last sample is the last entry, so its number is not a multiple of 32.
    const left = held.count - Math.min(sample * sampling, held.count - 1);
    scanEntries(
      this.#file,
      this.#section,
      held.entries[sample],
      left,
      (reader) => {
        skipPairCount(reader);
        reader.skip(reader.uvarint());
        const value = reader.string();
        const offset = reader.uvarint();
        return compareUtf8(value, from) < 0 || onValue(value, offset);
      },
      Math.min(Math.max(left * typicalEntryBytes, sampling * typicalEntryBytes), windowBytesMax),
    );
  }

  find(name: string, value: string): number | undefined {
    let found: number | undefined;
    this.forEachValue(name, value, (candidate, offset) => {
      if (candidate === value) found = offset;
      return false;
    });
    return found;
  }
}

/** The last index whose value is <= `wanted`, or 0. */
function lastAtMost(values: readonly string[], wanted: string): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (compareUtf8(values[middle], wanted) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

function readUnsorted(file: PagedFile, section: Section, count: number): PostingsTable {
  const names = new Map<string, Map<string, number>>();
  scanEntries(file, section, 4, count, (reader) => {
    skipPairCount(reader);
    const name = reader.string();
    const value = reader.string();
    const offset = reader.uvarint();
    let values = names.get(name);
    if (values === undefined) names.set(name, (values = new Map()));
    values.set(value, offset);
    return true;
  });
  for (const [name, values] of names) {
    names.set(name, new Map([...values].sort(([a], [b]) => compareUtf8(a, b))));
  }
  return {
    names: () => [...names.keys()].filter((name) => name !== "").sort(compareUtf8),
    valueCount: (name) => names.get(name)?.size ?? 0,
    forEachValue(name, from, onValue) {
      for (const [value, offset] of names.get(name) ?? []) {
        if (compareUtf8(value, from) >= 0 && !onValue(value, offset)) return;
      }
    },
    find: (name, value) => names.get(name)?.get(value),
  };
}
