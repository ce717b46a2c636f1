/**
 * Hands out memory: slabs in size classes, runs of whole pages for what is bigger. The writer's alone; what other
 * threads may still be reading is not freed here at once but by way of {@link ./retired.ts}.
 */
import { assert } from "../../base/assert.ts";
import { NarthexError } from "../../base/errors.ts";
import {
  Class,
  classWords,
  PageKind,
  type Purpose,
  pageWords,
  poisonWord,
  Root,
} from "../../kernels/head-layout.ts";
import { classEntry, type HeadMemory } from "./memory.ts";

/** The class of every size up to the biggest, in steps of four words. */
const classOfSize = new Uint8Array(classWords[classWords.length - 1] / 4 + 1);
for (let size = 0, index = 0; size < classOfSize.length; size++) {
  if (size * 4 > classWords[index]) index++;
  classOfSize[size] = index;
}
const biggestSlab = classWords[classWords.length - 1];

/** The smallest class with at least `count` words. */
export function classFor(count: number): number {
  return classOfSize[(count + 3) >>> 2];
}

interface Run {
  page: number;
  count: number;
}

export class Arena {
  readonly #memory: HeadMemory;
  readonly #words: Uint32Array;
  /** Free runs of pages, by page, none touching the next. */
  readonly #runs: Run[];
  #pagesFree: number;
  readonly #pagesAll: number;
  #pagesTakenMost = 0;
  #pagesMax: number;

  constructor(memory: HeadMemory) {
    this.#memory = memory;
    this.#words = memory.words;
    const first = memory.firstArenaPage;
    this.#pagesFree = memory.pageCount - first;
    this.#pagesAll = this.#pagesFree;
    this.#pagesMax = this.#pagesFree;
    this.#runs = [{ page: first, count: this.#pagesFree }];
  }

  /**
   * How many pages {@link reserve} lets anybody take: all there are, or fewer. Work that has reserved what it needs is
   * not stopped by it.
   */
  get pagesMax(): number {
    return this.#pagesMax;
  }

  set pagesMax(pages: number) {
    this.#pagesMax = Math.min(pages, this.#pagesAll);
  }

  /** All pages there are. */
  get pageCount(): number {
    return this.#pagesAll;
  }

  /** Pages that size classes and runs have taken. */
  get pagesTaken(): number {
    return this.#pagesAll - this.#pagesFree;
  }

  /** The most pages that were ever taken: so much is resident, what is freed is not given back to the system. */
  get pagesTakenMost(): number {
    return this.#pagesTakenMost;
  }

  /** Pages that may still be taken. */
  get pagesFree(): number {
    return Math.max(0, this.#pagesMax - this.pagesTaken);
  }

  /** Bytes taken from the operating system for slabs and runs. */
  get bytesTaken(): number {
    return this.pagesTaken * pageWords * 4;
  }

  /** Bytes in use for one purpose. */
  bytesInUse(purpose: Purpose): number {
    return this.#words[Root.wordsInUse + purpose] * 4;
  }

  /** Throws a MEMORY error unless `pages` are left: before work that must not stop half way. */
  reserve(pages: number): void {
    if (this.pagesFree < pages) throw full();
  }

  /** At least `count` words, not cleared. */
  alloc(count: number, purpose: Purpose): number {
    if (count > biggestSlab) return this.#allocRun(count, purpose);
    const index = classFor(count);
    const words = this.#words;
    const entry = classEntry(index);
    let at = words[entry + Class.free];
    if (at !== 0) {
      words[entry + Class.free] = words[at];
    } else {
      if (words[entry + Class.bump] === words[entry + Class.end]) this.refill(index);
      at = words[entry + Class.bump];
      words[entry + Class.bump] = at + classWords[index];
    }
    words[entry + Class.live]++;
    words[Root.wordsInUse + purpose] += classWords[index];
    return at;
  }

  /** `count` words of zeros. */
  allocZeroed(count: number, purpose: Purpose): number {
    const at = this.alloc(count, purpose);
    this.#words.fill(0, at, at + count);
    return at;
  }

  /** How many words the slab or run at `at` has. */
  sizeOf(at: number): number {
    const kind = this.#words[Root.end + (at >>> 14)];
    return kind >= PageKind.runStart ? (kind - PageKind.runStart) * pageWords : classWords[kind - 1];
  }

  /** Gives a slab or a run back. */
  free(at: number, purpose: Purpose): void {
    const words = this.#words;
    const kind = words[Root.end + (at >>> 14)];
    if (kind >= PageKind.runStart) return this.#freeRun(at, kind - PageKind.runStart, purpose);
    assert(kind > 0 && kind <= classWords.length, "freed what is no slab");
    const size = classWords[kind - 1];
    if (this.#memory.poison) words.fill(poisonWord, at, at + size);
    const entry = classEntry(kind - 1);
    words[at] = words[entry + Class.free];
    words[entry + Class.free] = at;
    words[entry + Class.live]--;
    words[Root.wordsInUse + purpose] -= size;
  }

  /** Gives a class that has run out another page. */
  refill(index: number): void {
    const words = this.#words;
    const page = this.#takePages(1);
    words[Root.end + page] = 1 + index;
    const entry = classEntry(index);
    const size = classWords[index];
    words[entry + Class.bump] = page * pageWords;
    words[entry + Class.end] = page * pageWords + Math.floor(pageWords / size) * size;
  }

  #allocRun(count: number, purpose: Purpose): number {
    const pages = Math.ceil(count / pageWords);
    const page = this.#takePages(pages);
    const words = this.#words;
    words[Root.end + page] = PageKind.runStart + pages;
    for (let rest = page + 1; rest < page + pages; rest++) words[Root.end + rest] = PageKind.runRest;
    words[Root.wordsInUse + purpose] += pages * pageWords;
    return page * pageWords;
  }

  #freeRun(at: number, pages: number, purpose: Purpose): void {
    const words = this.#words;
    const page = at / pageWords;
    if (this.#memory.poison) words.fill(poisonWord, at, at + pages * pageWords);
    for (let i = page; i < page + pages; i++) words[Root.end + i] = PageKind.free;
    words[Root.wordsInUse + purpose] -= pages * pageWords;
    this.#pagesFree += pages;
    const runs = this.#runs;
    let after = runs.findIndex((run) => run.page > page);
    if (after < 0) after = runs.length;
    runs.splice(after, 0, { page, count: pages });
    for (let i = after; i >= after - 1; i--) {
      if (i < 0 || i + 1 >= runs.length || runs[i].page + runs[i].count !== runs[i + 1].page) continue;
      runs[i].count += runs[i + 1].count;
      runs.splice(i + 1, 1);
    }
  }

  /** First fit. */
  #takePages(count: number): number {
    const i = this.#runs.findIndex((run) => run.count >= count);
    if (i < 0) throw full();
    const run = this.#runs[i];
    const { page } = run;
    run.page += count;
    run.count -= count;
    if (run.count === 0) this.#runs.splice(i, 1);
    this.#pagesFree -= count;
    this.#pagesTakenMost = Math.max(this.#pagesTakenMost, this.pagesTaken);
    return page;
  }
}

function full(): NarthexError {
  return new NarthexError(
    "MEMORY",
    "the memory of the head is full (--storage.tsdb.memory-limit): no more samples fit until older ones have gone " +
      "into a block; give it more memory or scrape fewer series",
  );
}
