/**
 * The chunks that `chunks_head` holds, gathered before the WAL is replayed and handed to each series when its record
 * comes.
 */
import { isChunkEncoding } from "../../chunkenc/encoding.ts";
import type { MmapMarker } from "../record/mmap-markers.ts";
import { higherWalRef, walRefLimit } from "../record/record-reader.ts";
import type { PersistedChunk } from "./chunk-lists.ts";
import { WalRefMap } from "./wal-ref-map.ts";

export class ReplayChunks {
  /**
   * The highest WAL ref of any chunk: new series must get higher ones, or chunks whose series is not known any more
   * would become theirs at the next start.
   */
  walRefMax = 0;
  readonly #minValidTime: number;
  /** Index + 1 of the first and last chunk of each series. */
  readonly #first = new WalRefMap();
  readonly #last = new WalRefMap();
  #refs = new Float64Array(1024);
  #mints = new Float64Array(1024);
  #maxts = new Float64Array(1024);
  #samples = new Uint16Array(1024);
  #encodings = new Uint8Array(1024);
  /** Index + 1 of the next chunk of the same series. */
  #next = new Uint32Array(1024);
  #n = 0;
  /** Chunks of out-of-order samples by the WAL ref of their series; they may overlap. */
  readonly late = new Map<number, PersistedChunk[]>();
  /** The WAL refs of their series, by the chunk's ref. */
  readonly #lateSeries = new Map<number, number>();

  readonly #walRefs = new Set<number>();
  readonly #lists: boolean;

  /**
   * What ends before `minValidTime` is in blocks and left out. `lists`: whether {@link walRefs} will be asked for.
   */
  constructor(minValidTime: number, lists = false) {
    this.#minValidTime = minValidTime;
    this.#lists = lists;
  }

  /** Remembers that there is a chunk of this series. Returns "", or what is wrong with it. */
  note(walRef: number): string {
    if (walRef > walRefLimit) return `series ref ${walRef} is out of range`;
    this.walRefMax = higherWalRef(this.walRefMax, walRef);
    return "";
  }

  /** Returns "", or what is wrong with the chunk. */
  add(walRef: number, chunk: PersistedChunk): string {
    const problem = this.note(walRef);
    if (problem !== "") return problem;
    const { mint, maxt } = chunk;
    if (mint > maxt) return `a chunk that begins at ${mint} and ends at ${maxt}`;
    if (maxt < this.#minValidTime || !isChunkEncoding(chunk.encoding)) return "";
    const last = this.#last.get(walRef) - 1;
    if (last >= 0 && this.#maxts[last] >= mint) {
      return `chunk [${mint}, ${maxt}] of series ${walRef} comes after one that ends at ${this.#maxts[last]}`;
    }
    if (this.#n === this.#refs.length) this.#grow();
    const i = this.#n++;
    this.#refs[i] = chunk.ref;
    this.#mints[i] = mint;
    this.#maxts[i] = maxt;
    this.#samples[i] = chunk.samples;
    this.#encodings[i] = chunk.encoding;
    if (last >= 0) this.#next[last] = i + 1;
    else {
      this.#first.set(walRef, i + 1);
      if (this.#lists) this.#walRefs.add(walRef);
    }
    this.#last.set(walRef, i + 1);
    return "";
  }

  /** The series that have any. */
  walRefs(): ReadonlySet<number> {
    return this.#walRefs;
  }

  /** As {@link add} for a chunk of out-of-order samples. Whether a block has it is not known: it is merged then. */
  addLate(walRef: number, chunk: PersistedChunk): string {
    const problem = this.note(walRef);
    if (problem !== "" || !isChunkEncoding(chunk.encoding)) return problem;
    this.#lateSeries.set(chunk.ref, walRef);
    const known = this.late.get(walRef);
    if (known === undefined) this.late.set(walRef, [chunk]);
    else known.push(chunk);
    return "";
  }

  /** Whether the files have this chunk of out-of-order samples, and it is of this series. */
  hasLate({ walRef, chunkRef }: MmapMarker): boolean {
    return this.#lateSeries.get(chunkRef) === walRef;
  }

  /** The chunks of a series in time order. */
  of(walRef: number): PersistedChunk[] {
    const chunks: PersistedChunk[] = [];
    for (let i = this.#first.get(walRef) - 1; i >= 0; i = this.#next[i] - 1) {
      chunks.push({
        ref: this.#refs[i],
        mint: this.#mints[i],
        maxt: this.#maxts[i],
        samples: this.#samples[i],
        encoding: this.#encodings[i],
      });
    }
    return chunks;
  }

  #grow(): void {
    const capacity = 2 * this.#n;
    const grown = <T extends { set(from: T): void }>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#refs = grown(this.#refs, new Float64Array(capacity));
    this.#mints = grown(this.#mints, new Float64Array(capacity));
    this.#maxts = grown(this.#maxts, new Float64Array(capacity));
    this.#samples = grown(this.#samples, new Uint16Array(capacity));
    this.#encodings = grown(this.#encodings, new Uint8Array(capacity));
    this.#next = grown(this.#next, new Uint32Array(capacity));
  }
}
