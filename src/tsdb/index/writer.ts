/**
 * Writes the index file of a new block, version 2, as Prometheus does: symbols, series, postings, postings offset
 * table, table of contents (format.ts). The sections of label indices, which nobody reads any more, are empty.
 *
 * Call order: constructor, {@link IndexWriter.addSeries} in label order, {@link IndexWriter.finish}. The file is
 * durable then; its name is once the caller has synced the directory.
 */
import { BugError } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { NarthexError } from "../../base/errors.ts";
import { FileWriter } from "../../base/file-writer.ts";
import type { Fs } from "../../base/fs.ts";
import { compareLabels, Labels } from "../../model/labels.ts";
import { encodeToc, indexBytesMax, indexMagic, seriesAlignment } from "./format.ts";
import { PairPostings } from "./pair-postings.ts";
import { chunkFields } from "./reader.ts";

const sectionBytesMax = 0xffffffff;

export class IndexWriter {
  readonly #file: FileWriter;
  readonly #content = new ByteWriter(4096);
  readonly #frame = new ByteWriter(16);
  readonly #postings: PairPostings;
  readonly #seriesStart: number;
  #lastLabels = Labels.empty;
  #lastChunkRef = 0;

  /** `symbols`: every label name and value that will appear (more do no harm), sorted by UTF-8 bytes, each once. */
  constructor(fs: Fs, path: string, symbols: readonly string[]) {
    this.#file = new FileWriter(fs.open(path, "create"));
    this.#frame.u32(indexMagic);
    this.#frame.u8(2);
    this.#file.write(this.#frame.bytes());
    this.#writeSymbols(symbols);
    this.#postings = new PairPostings(symbols);
    this.#seriesStart = this.#file.position;
  }

  /** `chunks`: mint, maxt, ref of each chunk, in time order, not overlapping; refs increase from series to series. */
  addSeries(labels: Labels, chunks: readonly number[]): void {
    if (this.#postings.seriesCount > 0 && compareLabels(this.#lastLabels, labels) >= 0) {
      throw new BugError(`BUG: series are added in order, ${labels} comes before ${this.#lastLabels}`);
    }
    this.#file.pad(seriesAlignment);
    const { position } = this.#file;
    if (position > indexBytesMax) throw tooLarge(this.#file.path, "64 GiB");
    const content = this.#content;
    content.clear();
    this.#postings.add(position / seriesAlignment, labels, content);
    this.#encodeChunks(labels, chunks);
    this.#frame.clear();
    this.#frame.uvarint(content.length);
    content.u32(crc32c(content.bytes()));
    this.#file.write(this.#frame.bytes());
    this.#file.write(content.bytes());
    this.#lastLabels = labels;
  }

  finish(): void {
    const file = this.#file;
    const labelIndices = file.position;
    file.pad(4);
    const postings = labelIndices;
    const offsets = this.#writePostings();
    const postingsTable = file.position;
    this.#writePostingsTable(offsets);
    file.write(
      encodeToc({
        symbols: 5,
        series: this.#seriesStart,
        labelIndices,
        labelIndexTable: postingsTable,
        postings,
        postingsTable,
      }),
    );
    file.finish();
  }

  /** Gives up: closes the file, leaves it where it is. */
  abandon(): void {
    this.#file.abandon();
  }

  #writeSymbols(symbols: readonly string[]): void {
    const start = this.#file.position;
    const section = new SectionWriter(this.#file);
    section.content.u32(symbols.length);
    for (const symbol of symbols) {
      section.content.string(symbol);
      section.flushWhenLarge();
    }
    section.finish(start, "symbol table");
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

  /** Where the list of each pair begins, in the order of the table. */
  #writePostings(): number[] {
    const file = this.#file;
    const content = this.#content;
    const offsets: number[] = [];
    this.#postings.forEachList((refs) => {
      file.pad(4);
      offsets.push(file.position);
      content.clear();
      content.u32(refs.length);
      for (let i = 0; i < refs.length; i++) content.u32(refs[i]);
      this.#frame.clear();
      this.#frame.u32(content.length);
      content.u32(crc32c(content.bytes()));
      file.write(this.#frame.bytes());
      file.write(content.bytes());
    });
    return offsets;
  }

  #writePostingsTable(offsets: readonly number[]): void {
    const start = this.#file.position;
    const section = new SectionWriter(this.#file);
    section.content.u32(offsets.length);
    let n = 0;
    this.#postings.forEachPair((name, value) => {
      section.content.uvarint(2);
      section.content.string(name);
      section.content.string(value);
      section.content.uvarint(offsets[n++]);
      section.flushWhenLarge();
    });
    section.finish(start, "postings offset table");
  }
}

/** A section whose length is known only at its end. */
class SectionWriter {
  readonly content = new ByteWriter(1 << 16);
  readonly #file: FileWriter;
  #crc = 0;

  constructor(file: FileWriter) {
    this.#file = file;
    file.write(new Uint8Array(4));
  }

  flushWhenLarge(): void {
    if (this.content.length > 1 << 15) this.#flush();
  }

  finish(start: number, name: string): void {
    this.#flush();
    const length = this.#file.position - start - 4;
    if (length > sectionBytesMax) throw tooLarge(this.#file.path, `4 GiB of ${name}`);
    this.content.u32(this.#crc);
    this.#file.write(this.content.bytes());
    this.content.clear();
    this.content.u32(length);
    this.#file.patch(start, this.content.bytes());
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
