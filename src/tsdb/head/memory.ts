/**
 * The shared memory of one head and the views of it that a thread works on. Created by the writer; its
 * {@link HeadHandle} is posted to the threads that read, which attach to it.
 */
import { assert } from "../../base/assert.ts";
import {
  Class,
  directoryHeaderWords,
  magic,
  PageKind,
  Pair,
  pageWords,
  Root,
  recordsPerPage,
  recordsPerPageBits,
  Series,
  version,
} from "../../kernels/head-layout.ts";
import type { HeadMemoryOptions } from "./head-options.ts";

/** Names a head's memory to another thread; can be posted. */
export interface HeadHandle {
  readonly memory: WebAssembly.Memory;
}

const defaultPages = 65536;
/** The kernels' static data, the root with the page table of a small memory, and some room for records. */
const pagesMin = 32;

export class HeadMemory {
  readonly memory: WebAssembly.Memory;
  readonly words: Uint32Array;
  /** The same bytes as doubles: index = word offset / 2. */
  readonly doubles: Float64Array;
  readonly pageCount: number;
  readonly poison: boolean;
  readonly unguarded: boolean;

  private constructor(memory: WebAssembly.Memory, poison: boolean, unguarded: boolean) {
    this.memory = memory;
    this.words = new Uint32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
    this.pageCount = this.words.length / pageWords;
    this.poison = poison;
    this.unguarded = unguarded;
  }

  static create(options: HeadMemoryOptions = {}): HeadMemory {
    const pages = options.pages ?? defaultPages;
    if (!(pages >= pagesMin && pages <= defaultPages)) {
      throw new RangeError(`the head's memory has ${pagesMin} to ${defaultPages} pages, ${pages} asked for`);
    }
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const head = new HeadMemory(memory, options.poison ?? false, options.unguarded ?? false);
    const { words } = head;
    words[Root.magic] = magic;
    words[Root.version] = version;
    words[Root.pageCount] = pages;
    words[Root.hashSeed] = options.hashSeed ?? 0;
    words[Root.committed] = 1;
    const reserved = head.firstArenaPage;
    for (let page = 0; page < reserved; page++) words[Root.end + page] = PageKind.runRest;
    return head;
  }

  /** The same memory in another thread. */
  static attach(handle: HeadHandle): HeadMemory {
    const head = new HeadMemory(handle.memory, false, false);
    assert(head.words[Root.magic] === magic, "this memory does not hold a head");
    assert(head.words[Root.version] === version, "this memory holds a head of another version");
    return head;
  }

  get handle(): HeadHandle {
    return { memory: this.memory };
  }

  /** The first page behind the root and the page table. */
  get firstArenaPage(): number {
    return Math.ceil((Root.end + this.pageCount) / pageWords);
  }
}

/** The record of a series; 0 where its page is gone. */
export function seriesRecord(words: Uint32Array, ref: number): number {
  const directory = words[Root.seriesDirectory];
  const page = words[directory + directoryHeaderWords + (ref >>> recordsPerPageBits)];
  return page === 0 ? 0 : page + (ref & (recordsPerPage - 1)) * Series.words;
}

/** The header of a pair. */
export function pairHeader(words: Uint32Array, id: number): number {
  const directory = words[Root.pairDirectory];
  const page = words[directory + directoryHeaderWords + (id >>> recordsPerPageBits)];
  return page + (id & (recordsPerPage - 1)) * Pair.words;
}

/** The entry of size class `index` in the root. */
export function classEntry(index: number): number {
  return Root.classes + index * Class.words;
}
