/**
 * The HTTP side of the server: the API's routes on Node's HTTP server, with what Prometheus puts around them
 * (readiness, compression, CORS, its answers for unknown paths and methods) and the `prometheus_http_*` metrics.
 *
 * As in Prometheus: HEAD only where it is declared, 405 with Allow for other methods, redirects from "//metrics" and
 * "/metrics/" to "/metrics".
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  ApiError,
  clientClosedRequest,
  failure,
  noContent,
  notReady,
  text,
  textError,
} from "../api/answer.ts";
import type { ApiRequest } from "../api/handler.ts";
import { FormValues } from "../api/params/form.ts";
import { apiPrefix, type Route } from "../api/routes.ts";
import type { Answer, Services } from "../api/services.ts";
import type { Logger } from "../base/env.ts";
import { NarthexError, QueryError } from "../base/errors.ts";
import { acceptedEncoding, compress } from "./compress.ts";
import type { CorsPolicy } from "./cors.ts";
import { BodyTooLargeError, ClientGoneError, formBytesMax, formOf, readBody } from "./request-body.ts";
import { type Found, Router } from "./router.ts";

/** One finished request, for the metrics. `handler` is the route's path without the prefix. */
export interface HttpObserver {
  declared(handler: string): void;
  served(handler: string, status: number, seconds: number, bytes: number): void;
}

export interface HttpAppOptions {
  readonly services: Services;
  readonly routes: readonly Route[];
  readonly logger: Logger;
  readonly observer: HttpObserver;
  readonly cors: CorsPolicy;
  /** "" or "/prefix", without a slash at the end. */
  readonly prefix: string;
  /** `--web.read-timeout`: for reading a request, and for an idle connection. */
  readonly readTimeoutMs: number;
}

/** Compressed, as it comes over the wire. */
const writeBytesMax = 32 * 1024 * 1024;

type Methods = Map<string, Route>;

/** The server, which does not listen yet. */
export function createHttpApp(options: HttpAppOptions): Server {
  const app = new HttpApp(options);
  const { readTimeoutMs } = options;
  // As Go: a long query fits into a URL.
  const limits = {
    maxHeaderSize: 1024 * 1024,
    requestTimeout: readTimeoutMs,
    keepAliveTimeout: readTimeoutMs,
  };
  const server = createServer(limits, (request, response) => void app.serve(request, response));
  server.on("clientError", (_error, socket) => {
    if (!socket.writable) return;
    const head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close";
    socket.end(`${head}\r\n\r\n400 Bad Request`);
  });
  return server;
}

/** The label that the CORS preflight requests have in the metrics. */
const preflightHandler = `${apiPrefix}/*path`;

class HttpApp {
  readonly #options: HttpAppOptions;
  readonly #router = new Router<Methods>();

  constructor(options: HttpAppOptions) {
    this.#options = options;
    const tree = new Map<string, Methods>();
    for (const route of options.routes) {
      const methods = tree.get(route.path) ?? new Map<string, Route>();
      tree.set(route.path, methods);
      for (const method of route.methods) methods.set(method, route);
      options.observer.declared(route.path);
    }
    for (const [path, methods] of tree) this.#router.add(path, methods);
    options.observer.declared(preflightHandler);
  }

  /** Answers a request, whatever happens. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#dispatch(request, response);
    } catch (error) {
      answer = this.#failed(error as Error, request);
    }
    send(response, answer);
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const { prefix } = this.#options;
    const method = request.method ?? "GET";
    const [path, query] = splitAt(request.url ?? "/", "?");
    if (path === "/" && prefix !== "" && method === "GET") return redirect(302, prefix);
    const found = this.#find(path);
    if (found === "malformed") return textError(400, "Bad Request");
    const isPreflight = method === "OPTIONS" && path.startsWith(`${prefix}${apiPrefix}/`);
    const route = found?.value.get(method);
    if (route === undefined && isPreflight) return this.#preflight(request, response);
    if (found === undefined) return this.#elsewhere(path, query);
    if (route === undefined) return wrongMethod(found.value, method);
    return this.#observed(found.path, response, () =>
      this.#wrapped(route, found.parameters, request, response),
    );
  }

  #find(path: string): Found<Methods> | "malformed" | undefined {
    const { prefix } = this.#options;
    if (!path.startsWith(prefix)) return undefined;
    try {
      return this.#router.find(path.slice(prefix.length));
    } catch {
      return "malformed";
    }
  }

  async #preflight(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    return this.#observed(preflightHandler, response, async () => {
      const blocked = this.#notReady(false);
      if (blocked !== undefined) return blocked;
      this.#addCors(request, response, true);
      return noContent();
    });
  }

  /** Where there is no route: a redirect if only slashes or dots are in the way, otherwise 404. */
  #elsewhere(path: string, query: string): Answer {
    const clean = cleanPath(path);
    const other = clean.endsWith("/") ? clean.slice(0, -1) : `${clean}/`;
    const target = [clean, other].find((candidate) => {
      const found = candidate === path ? undefined : this.#find(candidate);
      return found !== undefined && found !== "malformed" && found.value.has("GET");
    });
    return target === undefined ? textError(404, "404 page not found") : redirect(301, target + query);
  }

  async #observed(handler: string, response: ServerResponse, answer: () => Promise<Answer>): Promise<Answer> {
    const start = performance.now();
    const answered = await answer();
    const seconds = (performance.now() - start) / 1000;
    this.#options.observer.served(handler, answered.status, seconds, answered.body.length);
    // A client must not wait for us on a connection that is about to end.
    if (this.#options.services.lifecycle.readiness() === "stopping")
      response.setHeader("connection", "close");
    return answered;
  }

  #notReady(duringReplay: boolean): Answer | undefined {
    const readiness = this.#options.services.lifecycle.readiness();
    if (readiness === "ready" || (readiness === "starting" && duringReplay)) return undefined;
    return notReady(readiness === "stopping");
  }

  #addCors(request: IncomingMessage, response: ServerResponse, compressed: boolean): void {
    response.setHeader("vary", compressed ? ["Accept-Encoding", "Origin"] : "Origin");
    setHeaders(response, this.#options.cors(request.headers.origin ?? ""));
  }

  async #wrapped(
    route: Route,
    parameters: Readonly<Record<string, string>>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer> {
    const { whenReady, duringReplay, cors, compressed } = route.wrapping;
    const blocked = whenReady ? this.#notReady(duringReplay) : undefined;
    if (blocked !== undefined) return blocked;
    if (cors) this.#addCors(request, response, compressed);
    const answer = await this.#answer(route, parameters, request, response);
    const encoding = compressed
      ? acceptedEncoding(String(request.headers["accept-encoding"] ?? ""))
      : undefined;
    if (encoding === undefined || answer.status === 204) return answer;
    const body = await compress(encoding, answer.body);
    return { ...answer, headers: { ...answer.headers, "content-encoding": encoding }, body };
  }

  async #answer(
    route: Route,
    parameters: Readonly<Record<string, string>>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer> {
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      const asked = await apiRequest(request, parameters, route.wrapping.rawBody, gone.signal);
      return await route.handler(this.#options.services, asked);
    } catch (error) {
      return this.#failed(error as Error, request);
    }
  }

  /** The answer to a request that ended with an exception. */
  #failed(error: Error, request: IncomingMessage): Answer {
    if (error instanceof ApiError) return failure(error.type, error.message);
    if (error instanceof ClientGoneError) return { ...noContent(), status: clientClosedRequest };
    if (error instanceof BodyTooLargeError) {
      const answer = textError(413, "http: request body too large");
      return { ...answer, headers: { ...answer.headers, connection: "close" } };
    }
    if (isUnavailable(error)) {
      return { ...failure("unavailable", error.message), status: 503 };
    }
    const { method, url } = request;
    this.#options.logger.error("A request failed.", {
      method,
      url,
      problem: error.message,
      stack: error.stack,
    });
    return failure("internal", error.message);
  }
}

/** It may work later: no failure of the server. */
function isUnavailable(error: Error): boolean {
  return error instanceof QueryError
    ? error.type === "unavailable"
    : error instanceof NarthexError && error.code === "UNAVAILABLE";
}

async function apiRequest(
  request: IncomingMessage,
  pathParameters: Readonly<Record<string, string>>,
  rawBody: boolean,
  signal: AbortSignal,
): Promise<ApiRequest> {
  const { method, headers, url = "" } = request;
  const hasBody = method === "POST" || method === "PUT";
  const body = hasBody ? await readBody(request, rawBody ? writeBytesMax : formBytesMax) : new Uint8Array(0);
  const form = rawBody ? new FormValues() : await formOf(headers["content-type"] ?? "", body);
  const urlValues = new FormValues();
  const encoded = splitAt(url, "?")[1].slice(1);
  if (encoded !== "") {
    form.appendEncoded(encoded);
    urlValues.appendEncoded(encoded);
  }
  const header = (name: string) => String(headers[name] ?? "");
  return { form, urlValues, pathParameters, header, body, signal };
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  setHeaders(response, headers);
  if (status !== 204) response.setHeader("content-length", body.length);
  response.end(body);
}

function wrongMethod(methods: Methods, method: string): Answer {
  const allow = [...methods.keys(), "OPTIONS"].sort().join(", ");
  if (method === "OPTIONS") return { status: 200, headers: { allow }, body: new Uint8Array(0) };
  const answer = textError(405, "Method Not Allowed");
  return { ...answer, headers: { ...answer.headers, allow } };
}

const statusTexts: Readonly<Record<number, string>> = { 301: "Moved Permanently", 302: "Found" };

function redirect(status: 301 | 302, location: string): Answer {
  const href = location.replaceAll("&", "&amp;").replaceAll('"', "&#34;");
  return text(status, `<a href="${href}">${statusTexts[status]}</a>.\n\n`, {
    "content-type": "text/html; charset=utf-8",
    location,
  });
}

/** The text before the separator, and the rest with it. */
function splitAt(url: string, separator: string): [string, string] {
  const at = url.indexOf(separator);
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
}

/** Without empty, "." and ".." segments. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${path.endsWith("/") && kept.length > 0 ? "/" : ""}`;
}
