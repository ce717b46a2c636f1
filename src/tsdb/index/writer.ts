/**
 * Writes the index file of a new block, version 2, as Prometheus does: symbols, series, postings, postings offset
 * table, table of contents (format.ts). The sections of label indices, which nobody reads any more, are empty.
 *
 * Call order: constructor, {@link IndexWriter.addSeries} in label order, {@link IndexWriter.finish}. The file is
 * durable then; its name is once the caller has synced the directory. Until the end about 60 bytes of memory are needed for a
 * series with ten labels and two chunks, and one entry for each label pair.
 */
import { BugError } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { NarthexError } from "../../base/errors.ts";
import { FileWriter } from "../../base/file-writer.ts";
import type { Fs } from "../../base/fs.ts";
import { compareLabels, Labels } from "../../model/labels.ts";
import { encodeToc, indexBytesMax, indexMagic, seriesAlignment } from "./format.ts";
import type { Postings } from "./postings.ts";
import { chunkFields } from "./reader.ts";
import { type PairSymbols, SeriesPairs } from "./series-pairs.ts";
import { Spool } from "./spool.ts";

const sectionBytesMax = 0xffffffff;

export class IndexWriter {
  readonly #file: FileWriter;
  readonly #pairs = new SeriesPairs();
  /** The chunk part of each series' entry, which does not depend on the symbols. */
  readonly #chunks = new Spool();
  readonly #content = new ByteWriter(4096);
  readonly #frame = new ByteWriter(16);
  #lastLabels = Labels.empty;
  #lastChunkRef = 0;

  constructor(fs: Fs, path: string) {
    this.#file = new FileWriter(fs.open(path, "create"));
  }

  /** `chunks`: mint, maxt, ref of each chunk, in time order, not overlapping; refs increase from series to series. */
  addSeries(labels: Labels, chunks: readonly number[]): void {
    if (this.#pairs.seriesCount > 0 && compareLabels(this.#lastLabels, labels) >= 0) {
      throw new BugError(`BUG: series are added in order, ${labels} comes before ${this.#lastLabels}`);
    }
    this.#pairs.add(labels);
    this.#content.clear();
    this.#encodeChunks(labels, chunks);
    this.#chunks.add(this.#content.bytes());
    this.#lastLabels = labels;
  }

  /** Writes the file. */
  finish(): void {
    const file = this.#file;
    const pairs = this.#pairs.symbols();
    this.#frame.u32(indexMagic);
    this.#frame.u8(2);
    file.write(this.#frame.bytes());
    const symbols = file.position;
    this.#writeSymbols(pairs.symbols);
    const series = file.position;
    const refs = this.#writeSeries(pairs);
    const labelIndices = file.position;
    const offsets = this.#writePostings(refs, pairs);
    const postingsTable = file.position;
    this.#writePostingsTable(offsets, pairs);
    const labelIndexTable = postingsTable;
    file.write(
      encodeToc({ symbols, series, labelIndices, labelIndexTable, postings: labelIndices, postingsTable }),
    );
    file.finish();
  }

  /** Gives up: closes the file, leaves it where it is. */
  abandon(): void {
    this.#file.abandon();
  }

  #encodeChunks(labels: Labels, chunks: readonly number[]): void {
    const content = this.#content;
    content.uvarint(chunks.length / chunkFields);
    let lastMaxt = 0;
    for (let i = 0; i < chunks.length; i += chunkFields) {
      const mint = chunks[i];
      const maxt = chunks[i + 1];
      const ref = chunks[i + 2];
      if (
        maxt < mint ||
        (i > 0 && mint <= lastMaxt) ||
        (ref <= this.#lastChunkRef && this.#lastChunkRef > 0)
      ) {
        throw new BugError(`BUG: the chunks of ${labels} are in order and do not overlap: ${chunks}`);
      }
      if (i === 0) {
        content.varint(mint);
        content.uvarint(maxt - mint);
        content.uvarint(ref);
      } else {
        content.uvarint(mint - lastMaxt);
        content.uvarint(maxt - mint);
        content.varint(ref - this.#lastChunkRef);
      }
      lastMaxt = maxt;
      this.#lastChunkRef = ref;
    }
  }

  #writeSymbols(symbols: readonly string[]): void {
    const section = new SectionWriter(this.#file, "symbol table");
    section.content.u32(symbols.length);
    for (const symbol of symbols) {
      section.content.string(symbol);
      section.flushWhenLarge();
    }
    section.finish();
  }

  /** Returns the refs. */
  #writeSeries({ names, values }: PairSymbols): Uint32Array {
    const file = this.#file;
    const content = this.#content;
    const refs = new Uint32Array(this.#pairs.seriesCount);
    const chunks = this.#chunks.entries()[Symbol.iterator]();
    let n = 0;
    this.#pairs.forEachSeries((pairs) => {
      content.clear();
      content.uvarint(pairs.length);
      for (const pair of pairs) {
        content.uvarint(names[pair]);
        content.uvarint(values[pair]);
      }
      content.raw(chunks.next().value as Uint8Array);
      file.pad(seriesAlignment);
      if (file.position > indexBytesMax) throw tooLarge(file.path, "64 GiB");
      refs[n++] = file.position / seriesAlignment;
      this.#frame.clear();
      this.#frame.uvarint(content.length);
      this.#writeFramed();
    });
    return refs;
  }

  /** The frame, which has the content's length, the content, its checksum. */
  #writeFramed(): void {
    this.#content.u32(crc32c(this.#content.bytes()));
    this.#file.write(this.#frame.bytes());
    this.#file.write(this.#content.bytes());
  }

  /** Returns where each list begins: that of all series, then those of the pairs in their order. */
  #writePostings(refs: Uint32Array, { order }: PairSymbols): number[] {
    const content = this.#content;
    const offsets: number[] = [];
    const write = (list: Postings) => {
      this.#file.pad(4);
      offsets.push(this.#file.position);
      content.clear();
      content.u32(list.length);
      for (let i = 0; i < list.length; i++) content.u32(list[i]);
      this.#frame.clear();
      this.#frame.u32(content.length);
      this.#writeFramed();
    };
    write(refs);
    this.#pairs.forEachList(refs, order, write);
    return offsets;
  }

  #writePostingsTable(offsets: readonly number[], { order }: PairSymbols): void {
    const section = new SectionWriter(this.#file, "postings offset table");
    section.content.u32(offsets.length);
    offsets.forEach((offset, i) => {
      section.content.uvarint(2);
      section.content.string(i === 0 ? "" : this.#pairs.name(order[i - 1]));
      section.content.string(i === 0 ? "" : this.#pairs.value(order[i - 1]));
      section.content.uvarint(offset);
      section.flushWhenLarge();
    });
    section.finish();
  }
}

/** A section whose length is known only at its end. */
class SectionWriter {
  readonly content = new ByteWriter(1 << 16);
  readonly #file: FileWriter;
  readonly #name: string;
  readonly #start: number;
  #crc = 0;

  constructor(file: FileWriter, name: string) {
    this.#file = file;
    this.#name = name;
    this.#start = file.position;
    file.write(new Uint8Array(4));
  }

  flushWhenLarge(): void {
    if (this.content.length > 1 << 15) this.#flush();
  }

  finish(): void {
    this.#flush();
    const length = this.#file.position - this.#start - 4;
    if (length > sectionBytesMax) throw tooLarge(this.#file.path, `a ${this.#name} of 4 GiB`);
    this.content.u32(this.#crc);
    this.#file.write(this.content.bytes());
    this.content.clear();
    this.content.u32(length);
    this.#file.patch(this.#start, this.content.bytes());
  }

  #flush(): void {
    const bytes = this.content.bytes();
    this.#crc = crc32c(bytes, 0, bytes.length, this.#crc);
    this.#file.write(bytes);
    this.content.clear();
  }
}

function tooLarge(path: string, limit: string): NarthexError {
  return new NarthexError(
    "STORAGE",
    `${path}: the index would grow past ${limit}, which its format cannot hold; write shorter blocks`,
  );
}
