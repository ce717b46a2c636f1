/** One request and its answer over an undici dispatcher: no redirects, no retries. */
import { createGunzip, type Gunzip } from "node:zlib";
import type { Dispatcher } from "undici";
import type { HttpRequest, HttpResponse } from "../base/http-client.ts";
import { type BodyBudget, BodyBuffer } from "./body-buffer.ts";

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly request: HttpRequest;
  readonly budget: BodyBudget;
}

export interface ExchangeAnswer extends HttpResponse {
  /** "" where missing. */
  readonly location: string;
}

/** The request did not get as far as an answer. */
export class RequestError extends Error {
  override name = "RequestError";
  /** The connection ended before the answer began. */
  readonly connectionLost: boolean;

  constructor(problem: string, connectionLost: boolean, cause: unknown) {
    super(problem, { cause });
    this.connectionLost = connectionLost;
  }
}

/** Of an answer that nobody wants, so much is read that the connection may be used again. */
const discardBytesMax = 256 * 1024;

export function exchange(options: ExchangeOptions): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    const handler = new AnswerHandler(options, resolve, reject);
    if (options.request.signal.aborted) return handler.onAbort();
    options.request.signal.addEventListener("abort", handler.onAbort, { once: true });
    const { dispatcher, origin, path, headers } = options;
    try {
      dispatcher.dispatch({ origin, path, method: "GET", headers }, handler);
    } catch (error) {
      handler.fail(error as Error);
    }
  });
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #resolve: (answer: ExchangeAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #body: BodyBuffer;
  #controller: Dispatcher.DispatchController | undefined;
  #gunzip: Gunzip | undefined;
  #head: Omit<ExchangeAnswer, "body"> | undefined;
  #discarded = 0;
  #settled = false;

  constructor(
    { request, budget }: ExchangeOptions,
    resolve: (answer: ExchangeAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#body = new BodyBuffer(budget, request.bodyBytesMax, request.bodyBytesExpected);
  }

  readonly onAbort = (): void => {
    this.fail(this.#request.signal.reason as Error);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error("the request was given up"));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    reason = "",
  ): void {
    // An interim answer (1xx) may come before the real one.
    if (status < 200) return;
    const header = (name: string) => [headers[name] ?? ""].flat()[0];
    this.#head = {
      status,
      statusLine: `${status} ${reason}`.trim(),
      contentType: header("content-type"),
      location: header("location"),
    };
    if (status === 200 && header("content-encoding") === "gzip") this.#startGunzip();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#head?.status !== 200) {
      this.#discarded += chunk.length;
      if (this.#discarded > discardBytesMax) this.#finish();
    } else if (this.#gunzip === undefined) this.#append(chunk);
    else if (!this.#gunzip.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#gunzip === undefined) this.#finish();
    else this.#gunzip.end();
  }

  onResponseError(_: unknown, error: Error): void {
    this.fail(error);
  }

  #startGunzip(): void {
    // One output chunk for an ordinary page; each costs a turn of the event loop.
    const chunkSize = Math.min(Math.max(this.#request.bodyBytesExpected, 64 * 1024), 2 ** 20);
    const gunzip = createGunzip({ chunkSize });
    gunzip.on("data", (chunk: Buffer) => this.#append(chunk));
    gunzip.on("drain", () => this.#controller?.resume());
    gunzip.on("end", () => this.#finish());
    gunzip.on("error", (error) => this.fail(new Error(`gzip: ${error.message}`, { cause: error })));
    this.#gunzip = gunzip;
  }

  #append(chunk: Buffer): void {
    if (this.#settled) return;
    try {
      this.#body.append(chunk);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #finish(): void {
    if (this.#settled || this.#head === undefined) return;
    const { status } = this.#head;
    const complete = status === 200 || this.#discarded <= discardBytesMax;
    this.#settle(complete ? undefined : new Error("the body is not wanted"));
    this.#resolve({ ...this.#head, body: status === 200 ? this.#body.finish() : new Uint8Array(0) });
  }

  fail(error: Error): void {
    if (this.#settled) return;
    this.#settle(error);
    this.#body.release();
    const given = error === this.#request.signal.reason || this.#head !== undefined;
    if (this.#head === undefined)
      this.#reject(new RequestError(describe(error), !given && isLost(error), error));
    else this.#reject(isLost(error) ? new Error("unexpected EOF", { cause: error }) : error);
  }

  #settle(abortWith: Error | undefined): void {
    this.#settled = true;
    this.#request.signal.removeEventListener("abort", this.onAbort);
    this.#gunzip?.destroy();
    if (abortWith !== undefined) this.#controller?.abort(abortWith);
  }
}

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

function isLost(error: SystemError): boolean {
  return error.code === "UND_ERR_SOCKET" || error.code === "ECONNRESET" || error.code === "EPIPE";
}

const connectProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
  EACCES: "permission denied",
  ENOENT: "no such file or directory",
};

/** In the words that Prometheus's users know from Go. */
function describe(error: SystemError): string {
  // Every address of a host was tried: the last failure stands for all.
  const last = error instanceof AggregateError ? (error.errors.at(-1) as SystemError) : error;
  const { code = "" } = last;
  const known = connectProblems[code];
  if (known !== undefined) {
    const network = last.port === undefined ? "unix" : "tcp";
    const host = last.address?.includes(":") ? `[${last.address}]` : last.address;
    const address = last.port === undefined ? last.address : `${host}:${last.port}`;
    return `dial ${network} ${address}: connect: ${known}`;
  }
  if (code === "ENOTFOUND") return `dial tcp: lookup ${last.hostname}: no such host`;
  if (code === "EAI_AGAIN") return `dial tcp: lookup ${last.hostname}: server misbehaving`;
  if (code === "UND_ERR_CONNECT_TIMEOUT") return "dial tcp: i/o timeout";
  if (code === "UND_ERR_SOCKET") return "EOF";
  if (code === "ECONNRESET" || code === "EPIPE") return "read: connection reset by peer";
  return last.message;
}
