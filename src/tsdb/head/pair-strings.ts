/**
 * The strings of pairs, decoded once per thread and kept for as long as the pair is the same. For pinned readers and for
 * the writer.
 */
import { decodeUtf8 } from "../../base/bytes.ts";
import { labelCountMask, Pair } from "../../kernels/head-layout.ts";
import { Labels } from "../../model/labels.ts";
import { type HeadMemory, pairHeader } from "./memory.ts";
import { pairIdsOf } from "./series-table.ts";

export class PairStrings {
  readonly #words: Uint32Array;
  /** By pair id: the generation they belong to, names and values. */
  readonly #generations: number[] = [];
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  #scratch = new Uint8Array(256);
  #ids = new Uint32Array(labelCountMask);

  constructor(memory: HeadMemory) {
    this.#words = memory.words;
  }

  /** The name of a label (or of a name). */
  name(id: number): string {
    this.#load(id);
    return this.#names[id];
  }

  /** The value of a label; "" for a name. */
  value(id: number): string {
    this.#load(id);
    return this.#values[id];
  }

  /** The labels of a series. */
  labels(record: number): Labels {
    const count = pairIdsOf(this.#words, record, this.#ids);
    const pairs: string[] = [];
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i];
      this.#load(id);
      pairs.push(this.#names[id], this.#values[id]);
    }
    return new Labels(pairs);
  }

  #load(id: number): void {
    const words = this.#words;
    const header = pairHeader(words, id);
    const generation = words[header + Pair.generation];
    if (this.#generations[id] === generation) return;
    // Ids are dense: no hole of undefined values is left for long.
    while (this.#generations.length <= id) {
      this.#generations.push(-1);
      this.#names.push("");
      this.#values.push("");
    }
    const name = words[header + Pair.name];
    if (name === id) {
      this.#names[id] = this.#decode(header, true);
      this.#values[id] = "";
    } else {
      this.#load(name);
      this.#names[id] = this.#names[name];
      this.#values[id] = this.#decode(header, false);
    }
    this.#generations[id] = generation;
  }

  #decode(header: number, name: boolean): string {
    const words = this.#words;
    const string = words[header + Pair.string];
    const fieldBytes = words[string];
    const valueBytes = words[header + Pair.valueBytes];
    const nameBytes = words[header + Pair.nameBytes];
    if (fieldBytes > this.#scratch.length) this.#scratch = new Uint8Array(fieldBytes * 2);
    const bytes = this.#scratch;
    for (let at = 0, word = string + 1; at < fieldBytes; at += 4, word++) {
      const x = words[word];
      bytes[at] = x;
      bytes[at + 1] = x >>> 8;
      bytes[at + 2] = x >>> 16;
      bytes[at + 3] = x >>> 24;
    }
    // A name's own field ends with the tag of an empty value and its length.
    if (name) return decodeUtf8(bytes.subarray(fieldBytes - 2 - nameBytes, fieldBytes - 2));
    return decodeUtf8(bytes.subarray(fieldBytes - valueBytes, fieldBytes));
  }
}
