/**
 * Requests and answers over a MessagePort, typed by a map of methods. Either end may serve, call, or both.
 *
 * A method takes one postable argument and gives one postable result. Memory named in `transfer` changes hands instead
 * of being copied: its sender must not touch it again. Expected errors (base/errors.ts) arrive as what they were;
 * anything else arrives as an Error with the same message and stack.
 */
import type { MessagePort, Transferable, Worker } from "node:worker_threads";
import { CorruptionError, NarthexError, QueryError } from "../base/errors.ts";

/** The methods of one end: name → (argument) → result. */
export type Methods<M> = { [K in keyof M]: (argument: never) => unknown };

type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Result<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

/** How the serving end implements the methods: results may be promised, and may hand memory over. */
export type Implementation<M> = {
  [K in keyof M]: (
    argument: Argument<M[K]>,
  ) => Result<M[K]> | Handover<Result<M[K]>> | Promise<Result<M[K]> | Handover<Result<M[K]>>>;
};

/** A result of which some memory is transferred. */
export class Handover<T> {
  readonly value: T;
  readonly transfer: readonly Transferable[];

  constructor(value: T, transfer: readonly Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

interface Request {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}

interface Answer {
  readonly answers: number;
  readonly value?: unknown;
  readonly error?: ErrorImage;
}

/** What of an error survives the way between threads. */
interface ErrorImage {
  readonly kind: "query" | "corruption" | "narthex" | "other";
  readonly message: string;
  readonly stack: string;
  readonly detail: string;
  readonly offset: number;
}

type Port = MessagePort | Worker;

/** Answers calls that arrive on `port` until it closes; `after` is called after each. */
export function serve<M extends Methods<M>>(
  port: Port,
  implementation: Implementation<M>,
  after: () => void = () => {},
): void {
  port.on("message", (message: Request) => {
    if (typeof message?.call !== "number") return;
    const method = implementation[message.method as keyof M] as (argument: unknown) => unknown;
    answer(port, message, method).finally(after);
  });
}

async function answer(port: Port, request: Request, method: (argument: unknown) => unknown): Promise<void> {
  try {
    const result = method(request.argument);
    const value = result instanceof Promise ? await result : result;
    if (value instanceof Handover)
      port.postMessage({ answers: request.call, value: value.value }, [...value.transfer]);
    else port.postMessage({ answers: request.call, value });
  } catch (error) {
    port.postMessage({ answers: request.call, error: imageOf(error) } satisfies Answer);
  }
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The calling end. */
export class Caller<M extends Methods<M>> {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #nextCall = 1;
  #gone: Error | undefined;

  constructor(port: Port) {
    this.#port = port;
    port.on("message", (message: Answer) => {
      if (typeof message?.answers !== "number") return;
      const pending = this.#pending.get(message.answers);
      if (pending === undefined) return;
      this.#pending.delete(message.answers);
      if (message.error === undefined) pending.resolve(message.value);
      else pending.reject(errorFrom(message.error));
    });
  }

  /** How many calls have no answer yet. */
  get pending(): number {
    return this.#pending.size;
  }

  call<K extends keyof M & string>(
    method: K,
    argument: Argument<M[K]>,
    transfer: readonly Transferable[] = [],
  ): Promise<Result<M[K]>> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.#port.postMessage({ call, method, argument } satisfies Request, [...transfer]);
    });
  }

  /** The other end is gone: everything that waits, and every later call, fails with `reason`. */
  abandon(reason: Error): void {
    this.#gone = reason;
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
  }
}

function imageOf(error: unknown): ErrorImage {
  const base = { stack: error instanceof Error ? (error.stack ?? "") : "", detail: "", offset: 0 };
  if (error instanceof QueryError)
    return { ...base, kind: "query", message: error.message, detail: error.type };
  if (error instanceof CorruptionError) {
    return { ...base, kind: "corruption", message: error.message, detail: error.file, offset: error.offset };
  }
  if (error instanceof NarthexError)
    return { ...base, kind: "narthex", message: error.message, detail: error.code };
  return { ...base, kind: "other", message: error instanceof Error ? error.message : String(error) };
}

function errorFrom(image: ErrorImage): Error {
  const error = rebuild(image);
  error.message = image.message;
  error.stack = image.stack;
  return error;
}

function rebuild(image: ErrorImage): Error {
  switch (image.kind) {
    case "query":
      return new QueryError(image.detail as QueryError["type"], image.message);
    case "corruption":
      return new CorruptionError(image.detail, image.offset, image.message);
    case "narthex":
      return new NarthexError(image.detail as NarthexError["code"], image.message);
    case "other":
      return new Error(image.message);
  }
}
