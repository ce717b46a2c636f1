/**
 * The query threads: started as they are needed, up to a number, each busy with one query at a time. What finds all of
 * them busy waits its turn; what waits longer than the query timeout is answered as Prometheus does.
 */

import { failure } from "../api/answer.ts";
import type { QueryAnswer, QueryRequest, QueryService } from "../api/services.ts";
import type { Clock, Logger } from "../base/env.ts";
import { QueryError } from "../base/errors.ts";
import type { HeadHandle } from "../tsdb/head/memory.ts";
import type { IndexStatus } from "../tsdb/index/cardinality.ts";
import type { Control } from "./control.ts";
import type { BlockStatus, QueryData, QueryMethods } from "./protocol.ts";
import { Thread } from "./thread.ts";

export interface QueryPoolOptions {
  readonly threadsMax: number;
  readonly heapLimitMiB: number;
  readonly youngLimitMiB: number;
  /** `--query.timeout`, which holds for the waiting too. */
  readonly timeoutMs: () => number;
  /** What a new thread is told; asked for at each start. */
  readonly data: (thread: number) => QueryData;
  /** Called when a thread has ended, in order or not. */
  readonly onEnd: (thread: number) => void;
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly run: (slot: Slot) => void;
  readonly expire: () => void;
}

interface Slot {
  readonly number: number;
  readonly thread: Thread<QueryMethods>;
  busy: boolean;
}

export class QueryPool implements QueryService {
  readonly #options: QueryPoolOptions;
  readonly #control: Control;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #slots: Slot[] = [];
  readonly #queue: Waiting[] = [];

  constructor(options: QueryPoolOptions, control: Control, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#control = control;
    this.#clock = clock;
    this.#logger = logger;
    this.#addThread();
  }

  get threadCount(): number {
    return this.#slots.length;
  }

  /** Queries that are being evaluated or wait. */
  get active(): number {
    return this.#queue.length + this.#slots.filter((slot) => slot.busy).length;
  }

  get deaths(): number {
    return this.#slots.reduce((sum, { thread }) => sum + thread.deaths, 0);
  }

  /** Rejects with UNAVAILABLE where the query's thread ended for another reason than the query. */
  async answer(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const askedMs = this.#clock.monotonicMs();
    const slot = await this.#turn(signal);
    if (slot === undefined) return failure("timeout", "query timed out in query queue");
    const cancellation = this.#control.cancellation(slot.number);
    const cancel = () => Atomics.store(cancellation, 0, 1);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const queuedMs = this.#clock.monotonicMs() - askedMs;
      return await slot.thread.call("answer", { request, queuedMs });
    } catch (error) {
      if (!ranOutOfMemory(error)) throw error;
      return failure(
        "execution",
        "the query needed more memory than a query thread has, which was replaced: narrow the selector or the range",
      );
    } finally {
      signal.removeEventListener("abort", cancel);
      Atomics.store(cancellation, 0, 0);
      this.#release(slot);
    }
  }

  /** The tables of status/tsdb over the head. */
  headStatus(limit: number): Promise<IndexStatus> {
    return this.#inTurn((thread) => thread.call("headStatus", limit));
  }

  /** The same over a block; undefined where there is none of that name. */
  blockStatus(block: string, limit: number): Promise<BlockStatus | undefined> {
    return this.#inTurn((thread) => thread.call("blockStatus", { block, limit }));
  }

  blockMetas(): Promise<readonly object[]> {
    return this.#inTurn((thread) => thread.call("blockMetas", undefined as never));
  }

  /** Has the next free thread do something that is not a query. */
  async #inTurn<T>(ask: (thread: Thread<QueryMethods>) => Promise<T>): Promise<T> {
    const slot = await this.#turn(new AbortController().signal);
    if (slot === undefined) {
      throw new QueryError("unavailable", "all query threads were busy for too long; try again later");
    }
    try {
      return await ask(slot.thread);
    } finally {
      this.#release(slot);
    }
  }

  /** There is a (new) head: all threads are told. One that is just being replaced is told when it starts. */
  async attach(head: HeadHandle): Promise<void> {
    await Promise.allSettled(this.#slots.map(({ thread }) => thread.call("attach", head)));
  }

  /** The query settings changed; threads started later get them anyway. */
  async configure(queries: QueryData["queries"]): Promise<void> {
    await Promise.allSettled(this.#slots.map(({ thread }) => thread.call("configure", queries)));
  }

  async close(): Promise<void> {
    for (const waiting of this.#queue.splice(0)) waiting.expire();
    await Promise.all(this.#slots.map(({ thread }) => thread.close()));
  }

  /** A free thread, now or later; undefined when the wait took too long. */
  #turn(signal: AbortSignal): Promise<Slot | undefined> {
    const free = this.#slots.find((slot) => !slot.busy && slot.thread.isRunning) ?? this.#addThread();
    if (free !== undefined) {
      free.busy = true;
      return Promise.resolve(free);
    }
    return new Promise((resolve) => {
      const timeout = this.#clock.after(this.#options.timeoutMs(), () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        resolve(undefined);
      });
      const waiting: Waiting = {
        signal,
        run: (slot) => {
          timeout.cancel();
          resolve(slot);
        },
        expire: () => {
          timeout.cancel();
          resolve(undefined);
        },
      };
      this.#queue.push(waiting);
    });
  }

  /** Gives the slot to who waits; one whose thread is being replaced when that has begun. */
  #release(slot: Slot): void {
    slot.busy = false;
    if (!slot.thread.isRunning) return;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (!next.signal.aborted) {
        slot.busy = true;
        return next.run(slot);
      }
      next.expire();
    }
  }

  #addThread(): Slot | undefined {
    const number = this.#slots.length;
    if (number >= this.#options.threadsMax) return undefined;
    const { heapLimitMiB, youngLimitMiB, data, onEnd } = this.#options;
    const module = new URL("./query-thread.js", import.meta.url);
    const options = {
      name: `query ${number + 1}`,
      module,
      data: () => data(number),
      heapLimitMiB,
      youngLimitMiB,
      onEnd: () => onEnd(number),
    };
    const slot: Slot = {
      number,
      thread: new Thread<QueryMethods>(options, this.#clock, this.#logger, () => this.#release(slot)),
      busy: false,
    };
    this.#slots.push(slot);
    return slot;
  }
}

function ranOutOfMemory(error: unknown): boolean {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY";
}
