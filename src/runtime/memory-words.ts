/**
 * What the threads tell each other about memory, in words that they share: how far the arena may grow, how much of it is
 * taken, how urgent it is, and what each reading thread holds. Part of the control block.
 *
 * words: 0 pages for the arena (main) · 1 pages it has taken at most so far (writer) · 2 KiB in use in it (writer) ·
 * 3 urgency score in millionths (writer) · 4 rushed mode (writer) · 5 KiB of buffers of all compaction threads · 8 + n KiB of query thread n's query ·
 * 8 + threads + n KiB of thread n's file pages
 */

const Word = { pages: 0, pagesTaken: 1, heldKiB: 2, score: 3, rushed: 4, compaction: 5, queries: 8 } as const;
const kibibyte = 1024;
const scoreUnit = 1e6;

export class MemoryWords {
  readonly #words: Int32Array;
  readonly #threads: number;

  /** How many words this takes for so many reading threads. */
  static count(threads: number): number {
    return Word.queries + 2 * threads;
  }

  constructor(words: Int32Array, threads: number) {
    this.#words = words;
    this.#threads = threads;
  }

  /** 0 while nobody has set it. */
  get arenaPages(): number {
    return Atomics.load(this.#words, Word.pages);
  }

  set arenaPages(pages: number) {
    Atomics.store(this.#words, Word.pages, pages);
  }

  /** The most so far: memory is not given back to the system. */
  get pagesTaken(): number {
    return Atomics.load(this.#words, Word.pagesTaken);
  }

  get heldBytes(): number {
    return Atomics.load(this.#words, Word.heldKiB) * kibibyte;
  }

  get score(): number {
    return Atomics.load(this.#words, Word.score) / scoreUnit;
  }

  get rushed(): boolean {
    return Atomics.load(this.#words, Word.rushed) === 1;
  }

  /** The writer's report on its arena; `pagesTaken`: the most so far. */
  report(pagesTaken: number, heldBytes: number, score: number, rushed: boolean): void {
    const words = this.#words;
    Atomics.store(words, Word.pagesTaken, pagesTaken);
    Atomics.store(words, Word.heldKiB, Math.ceil(heldBytes / kibibyte));
    Atomics.store(words, Word.score, Math.floor(score * scoreUnit));
    Atomics.store(words, Word.rushed, rushed ? 1 : 0);
  }

  /** The word in which a query thread keeps how many KiB its query holds. */
  queryWord(thread: number): Int32Array {
    return this.#words.subarray(Word.queries + thread, Word.queries + thread + 1);
  }

  get queryBytes(): number {
    return this.#sum(Word.queries);
  }

  /** What reading thread `thread` keeps of files. */
  reportCache(thread: number, bytes: number): void {
    Atomics.store(this.#words, Word.queries + this.#threads + thread, Math.ceil(bytes / kibibyte));
  }

  get cacheBytes(): number {
    return this.#sum(Word.queries + this.#threads);
  }

  /** A compaction thread's buffers have grown by so many bytes, or shrunk. */
  changeCompaction(bytes: number): void {
    Atomics.add(this.#words, Word.compaction, Math.round(bytes / kibibyte));
  }

  get compactionBytes(): number {
    return Math.max(0, Atomics.load(this.#words, Word.compaction)) * kibibyte;
  }

  /** A thread has ended, and what it held has gone. The last one stands for all of compaction. */
  forget(thread: number): void {
    if (thread === this.#threads - 1) Atomics.store(this.#words, Word.compaction, 0);
    Atomics.store(this.#words, Word.queries + thread, 0);
    Atomics.store(this.#words, Word.queries + this.#threads + thread, 0);
  }

  #sum(from: number): number {
    let sum = 0;
    for (let i = from; i < from + this.#threads; i++) sum += Atomics.load(this.#words, i);
    return sum * kibibyte;
  }
}
