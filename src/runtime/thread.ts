/**
 * A worker thread under supervision: started, replaced when it dies, ended on close.
 *
 * A thread that throws or runs out of memory fails the calls it had not answered, with an error that says so, and is
 * started anew; the process goes on. One that dies again and again is started with growing pauses.
 */
import { Worker } from "node:worker_threads";
import type { Clock, Logger, Timer } from "../base/env.ts";
import { NarthexError } from "../base/errors.ts";
import { receiveLogs } from "./port-logger.ts";
import { Caller, type Methods } from "./rpc.ts";

export interface ThreadOptions {
  /** For logs and errors: "writer", "query 1" …. */
  readonly name: string;
  /** The module that the thread runs. */
  readonly module: URL;
  /** What the module finds as `workerData`; asked for anew at every start. */
  readonly data: () => unknown;
  /** Upper bound of the thread's JavaScript heap, MiB. */
  readonly heapLimitMiB: number;
  /** Upper bound of its young generation, MiB: more means fewer collections, and that much resident memory. */
  readonly youngLimitMiB: number;
  /** Called when the thread has ended, before it is started anew. */
  readonly onEnd?: () => void;
  /** Everything that the thread posts: for notices that are no answers. */
  readonly onMessage?: (message: unknown) => void;
}

const restartPauseFirstMs = 100;
const restartPauseMaxMs = 10_000;
/** A thread that lived this long starts over with the short pause. */
const healthyMs = 60_000;

export class Thread<M extends Methods<M>> {
  readonly #options: ThreadOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onRestart: (thread: Thread<M>) => void;
  #worker: Worker | undefined;
  #caller: Caller<M> | undefined;
  #startedAtMs = 0;
  #pauseMs = restartPauseFirstMs;
  #restartTimer: Timer | undefined;
  #closing = false;
  #deaths = 0;

  /** `onRestart` is called after a dead thread was started again: tell it what it must know. */
  constructor(
    options: ThreadOptions,
    clock: Clock,
    logger: Logger,
    onRestart: (thread: Thread<M>) => void = () => {},
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#onRestart = onRestart;
    this.#start();
  }

  get name(): string {
    return this.#options.name;
  }

  /** False while it is being replaced. */
  get isRunning(): boolean {
    return this.#caller !== undefined;
  }

  /** How often the thread died and was replaced. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Calls without an answer. */
  get pending(): number {
    return this.#caller?.pending ?? 0;
  }

  /** Fails with UNAVAILABLE while the thread is being replaced. */
  get call(): Caller<M>["call"] {
    const caller = this.#caller;
    if (caller !== undefined) return caller.call.bind(caller) as Caller<M>["call"];
    return () =>
      Promise.reject(
        new NarthexError("UNAVAILABLE", `The ${this.name} thread is being restarted; try again.`),
      );
  }

  #start(): void {
    const { name, module, data, heapLimitMiB, youngLimitMiB, onMessage } = this.#options;
    const worker = new Worker(module, {
      name,
      workerData: data(),
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMiB, maxYoungGenerationSizeMb: youngLimitMiB },
    });
    const caller = new Caller<M>(worker);
    receiveLogs(worker, this.#logger);
    if (onMessage !== undefined) worker.on("message", onMessage);
    this.#worker = worker;
    this.#caller = caller;
    this.#startedAtMs = this.#clock.monotonicMs();
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => this.#exited(caller, code, cause));
  }

  #exited(caller: Caller<M>, code: number, cause: unknown): void {
    this.#worker = undefined;
    this.#caller = undefined;
    const why = cause instanceof Error ? cause.message : `exit code ${code}`;
    caller.abandon(
      new NarthexError("UNAVAILABLE", `The ${this.name} thread ended (${why}) before it answered.`, {
        cause,
      }),
    );
    this.#options.onEnd?.();
    if (this.#closing) return;
    this.#deaths++;
    if (this.#clock.monotonicMs() - this.#startedAtMs > healthyMs) this.#pauseMs = restartPauseFirstMs;
    const stack = cause instanceof Error ? cause.stack : undefined;
    this.#logger.error("A thread ended unexpectedly and is replaced.", {
      thread: this.name,
      why,
      stack,
      pauseMs: this.#pauseMs,
    });
    this.#restartTimer = this.#clock.after(this.#pauseMs, () => {
      this.#start();
      this.#onRestart(this);
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, restartPauseMaxMs);
  }

  /** Ends the thread at once; calls without an answer fail. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#restartTimer?.cancel();
    await this.#worker?.terminate();
  }
}
