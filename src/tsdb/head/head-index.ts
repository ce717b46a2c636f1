/**
 * The index of the head from a reader's side: pairs by name and value, their series, the names and values there are.
 * Sees what the state of a pinned reader shows.
 */
import {
  Block,
  directoryHeaderWords,
  Pair,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
} from "../../kernels/head-layout.ts";
import { hashBytes } from "../../kernels/label-hash.ts";
import { findPair } from "../../kernels/pair-find.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { VisibleState } from "./epochs.ts";
import { LabelBytes } from "./label-bytes.ts";
import { type HeadMemory, pairHeader } from "./memory.ts";
import type { PairStrings } from "./pair-strings.ts";
import { endOfPostings, PostingsCursor } from "./postings-cursor.ts";
import { noRefs, type RefList } from "./refs.ts";
import { isLiveRecord } from "./series-table.ts";

export class HeadIndex {
  readonly #words: Uint32Array;
  readonly #strings: PairStrings;
  readonly #state: VisibleState;
  readonly #labelBytes = new LabelBytes();
  readonly #seed: number;

  constructor(memory: HeadMemory, strings: PairStrings, state: VisibleState) {
    this.#words = memory.words;
    this.#strings = strings;
    this.#state = state;
    this.#seed = memory.words[Root.hashSeed];
  }

  /** The pair of a label; 0 if there is none. With an empty value: of the name. */
  find(name: string, value: string): number {
    const field = this.#labelBytes;
    field.setOne(name, value);
    const hash = hashBytes(field.bytes, 0, field.length, this.#seed);
    return findPair(this.#words, field.bytes, 0, field.length, hash);
  }

  /** The pairs of one name, in no order. */
  valuesOf(name: string): number[] {
    const words = this.#words;
    const ids: number[] = [];
    const pair = this.find(name, "");
    if (pair === 0) return ids;
    for (let id = Atomics.load(words, pairHeader(words, pair) + Pair.first); id !== 0; ) {
      const header = pairHeader(words, id);
      if (this.#isVisible(header)) ids.push(id);
      id = Atomics.load(words, header + Pair.next);
    }
    return ids;
  }

  /** All label names, in no order. */
  names(): string[] {
    const words = this.#words;
    const names: string[] = [];
    for (let id = Atomics.load(words, Root.firstName); id !== 0; ) {
      const header = pairHeader(words, id);
      if (this.#hasVisibleValue(header)) names.push(this.#strings.name(id));
      id = Atomics.load(words, header + Pair.next);
    }
    return names;
  }

  /** The pairs of the matcher's name whose value it matches; an empty value (no such label) is not looked at. */
  matching(matcher: Matcher): number[] {
    const { name, type } = matcher;
    const { literals } = matcher;
    if (type === "=" || (type === "=~" && literals !== undefined)) {
      const wanted = type === "=" ? [matcher.value] : (literals as readonly string[]);
      return wanted
        .filter((value) => value !== "")
        .map((value) => this.find(name, value))
        .filter((id) => id !== 0);
    }
    return this.valuesOf(name).filter((id) => matcher.matches(this.#strings.value(id)));
  }

  /** About how many series have one of the pairs. */
  sizeOf(pairs: readonly number[]): number {
    let size = 0;
    for (const id of pairs) size += this.#words[pairHeader(this.#words, id) + Pair.length];
    return size;
  }

  /** The series that have one of the pairs, which have the same name (so that no series has two). */
  union(pairs: readonly number[]): RefList {
    if (pairs.length === 0) return noRefs;
    // The hint may be behind what is visible, never by more than one batch: grow where it does not do.
    let refs = new Uint32Array(this.sizeOf(pairs) + 64);
    let n = 0;
    for (const id of pairs) {
      const cursor = new PostingsCursor(this.#words, id, this.#state.lastRef);
      for (n = cursor.drain(refs, n); cursor.ref !== endOfPostings; n = cursor.drain(refs, n)) {
        const more = new Uint32Array(2 * n);
        more.set(refs);
        refs = more;
      }
    }
    if (pairs.length > 1) refs.subarray(0, n).sort();
    return { refs, n };
  }

  /** Keeps of refs[0, n) the series that have the pair; in place. Returns how many are left. */
  keepWith(refs: Uint32Array, n: number, pair: number): number {
    const cursor = new PostingsCursor(this.#words, pair, this.#state.lastRef);
    let kept = 0;
    for (let i = 0; i < n; i++) if (cursor.seek(refs[i]) === refs[i]) refs[kept++] = refs[i];
    return kept;
  }

  /** All series that live. */
  all(): RefList {
    const words = this.#words;
    const { lastRef } = this.#state;
    const directory = Atomics.load(words, Root.seriesDirectory) + directoryHeaderWords;
    let refs = new Uint32Array(Math.min(lastRef, 65536));
    let n = 0;
    for (let page = 0; page <= lastRef >>> recordsPerPageBits; page++) {
      const records = words[directory + page];
      if (records === 0) continue;
      if (n + recordsPerPage > refs.length) {
        const more = new Uint32Array(2 * refs.length + recordsPerPage);
        more.set(refs.subarray(0, n));
        refs = more;
      }
      const first = page * recordsPerPage;
      const count = Math.min(recordsPerPage, lastRef + 1 - first);
      for (let i = 0; i < count; i++) {
        if (isLiveRecord(words, records + i * Series.words)) refs[n++] = first + i;
      }
    }
    return { refs, n };
  }

  /** Whether a series that the reader may see has the pair: collection may have left none. */
  #isVisible(header: number): boolean {
    const block = Atomics.load(this.#words, header + Pair.first);
    return this.#words[block + Block.header] <= this.#state.lastRef;
  }

  #hasVisibleValue(nameHeader: number): boolean {
    const words = this.#words;
    for (let id = Atomics.load(words, nameHeader + Pair.first); id !== 0; ) {
      const header = pairHeader(words, id);
      if (this.#isVisible(header)) return true;
      id = Atomics.load(words, header + Pair.next);
    }
    return false;
  }
}
