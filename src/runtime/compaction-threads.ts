/**
 * The compaction threads: started when there is work, ended when there is none, because they hold memory. The first one
 * does everything that must not happen twice at a time; the others compact blocks beside it.
 */
import type { Clock, Logger } from "../base/env.ts";
import type { ObservedChunks } from "./chunk-histograms.ts";
import type {
  CompactionData,
  CompactionMethods,
  CompactionNotice,
  CompactionRequest,
  CompactionResult,
} from "./protocol.ts";
import { Thread } from "./thread.ts";

/** Of each thread's JavaScript heap: the postings of a block that is being written are in it. */
const heapLimitMiB = 1024;
const youngLimitMiB = 6;

/** Who is told what happens in the threads. */
export interface CompactionListener {
  /** The first thread, the only one that reads the head, has ended. */
  firstEnded(): void;
  /** Chunks of the head are in a block now. */
  chunksWritten(chunks: ObservedChunks): void;
}

export class CompactionThreads {
  readonly #countMax: number;
  readonly #data: (sweeps: boolean) => CompactionData;
  readonly #listener: CompactionListener;
  readonly #env: { readonly clock: Clock; readonly logger: Logger };
  #threads: Thread<CompactionMethods>[] = [];
  /** Compactions that wait for a thread. */
  #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(
    countMax: number,
    data: (sweeps: boolean) => CompactionData,
    listener: CompactionListener,
    env: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#countMax = Math.max(1, countMax);
    this.#data = data;
    this.#listener = listener;
    this.#env = env;
  }

  /** How many there are now. */
  get count(): number {
    return this.#threads.length;
  }

  first(): Thread<CompactionMethods> {
    return this.#thread(0);
  }

  /** In a thread that is free, now or later. */
  async compactBlocks(request: CompactionRequest): Promise<CompactionResult> {
    while (this.#busy === this.#countMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      const free = Array.from({ length: this.#countMax }, (_, i) => i).find(
        (i) => (this.#threads[i]?.pending ?? 0) === 0,
      );
      return await this.#thread(free ?? 0).call("compactBlocks", request);
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async end(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map((thread) => thread.close()));
  }

  #thread(number: number): Thread<CompactionMethods> {
    while (this.#threads.length <= number) this.#threads.push(this.#start(this.#threads.length));
    return this.#threads[number];
  }

  #start(number: number): Thread<CompactionMethods> {
    const isFirst = number === 0;
    return new Thread<CompactionMethods>(
      {
        name: isFirst ? "compaction" : `compaction ${number + 1}`,
        module: new URL("./compaction-thread.js", import.meta.url),
        // What another thread is writing must not be taken for a leftover.
        data: () => this.#data(isFirst && this.#threads.length <= 1),
        onEnd: isFirst ? () => this.#listener.firstEnded() : undefined,
        onMessage: (message) => {
          const { notice, chunks } = message as CompactionNotice;
          if (notice === "chunks") this.#listener.chunksWritten(chunks);
        },
        heapLimitMiB,
        youngLimitMiB,
      },
      this.#env.clock,
      this.#env.logger,
    );
  }
}
