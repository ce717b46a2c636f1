/**
 * The HTTP side of the server: the API's routes in fastify, with what Prometheus puts around them (readiness,
 * compression, CORS, its answers for unknown paths and methods) and the `prometheus_http_*` metrics.
 *
 * Routing differs from fastify's habits, as Prometheus's does: HEAD only where it is declared, 405 with Allow for
 * other methods, redirects from "//metrics" and "/metrics/" to "/metrics".
 */
import type { IncomingMessage } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
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
import { NarthexError } from "../base/errors.ts";
import { acceptedEncoding, compress } from "./compress.ts";
import type { CorsPolicy } from "./cors.ts";
import { BodyTooLargeError, ClientGoneError, formBytesMax, formOf, readBody } from "./request-body.ts";

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

export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const app = fastify({
    routerOptions: { maxParamLength: 4096 },
    exposeHeadRoutes: false,
    // As Go: a long query fits into a URL.
    http: { maxHeaderSize: 1024 * 1024 },
    requestTimeout: options.readTimeoutMs,
    keepAliveTimeout: options.readTimeoutMs,
    frameworkErrors: (_error, _request, reply) => send(reply as FastifyReply, textError(400, "Bad Request")),
  });
  keepBodies(app);
  const handlers = new Handlers(options);
  const tree = new Map<string, Methods>();
  for (const route of options.routes) {
    const methods = tree.get(route.path) ?? new Map<string, Route>();
    tree.set(route.path, methods);
    for (const method of route.methods) methods.set(method, route);
    options.observer.declared(route.path);
  }
  for (const [path, methods] of tree) {
    app.all(options.prefix + path, (request, reply) => handlers.dispatch(path, methods, request, reply));
  }
  options.observer.declared(preflightHandler);
  app.options(`${options.prefix}${apiPrefix}/*`, (request, reply) => handlers.preflight(request, reply));
  if (options.prefix !== "") app.get("/", (_, reply) => send(reply, redirect(302, options.prefix)));
  app.setNotFoundHandler((request, reply) => send(reply, elsewhere(app, request)));
  app.setErrorHandler((error, request, reply) => send(reply, handlers.failed(error as Error, request)));
  return app;
}

/**
 * Bodies are read by the handlers that want them, whatever their Content-Type says: fastify, which would refuse a
 * malformed one, is not shown it.
 */
function keepBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", (request, _reply, done) => {
    contentTypes.set(request.raw, request.headers["content-type"] ?? "");
    delete request.raw.headers["content-type"];
    done();
  });
}

const contentTypes = new WeakMap<IncomingMessage, string>();

/** The label that the CORS preflight requests have in the metrics. */
const preflightHandler = `${apiPrefix}/*path`;

class Handlers {
  readonly #options: HttpAppOptions;

  constructor(options: HttpAppOptions) {
    this.#options = options;
  }

  async dispatch(
    path: string,
    methods: Methods,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const route = methods.get(request.method);
    if (route === undefined) {
      if (request.method === "OPTIONS" && path.startsWith(apiPrefix)) return this.preflight(request, reply);
      return send(reply, wrongMethod(methods, request.method));
    }
    return this.#observed(path, reply, () => this.#wrapped(route, request, reply));
  }

  async preflight(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#observed(preflightHandler, reply, async () => {
      const blocked = this.#notReady(false);
      if (blocked !== undefined) return blocked;
      this.#addCors(request, reply, true);
      return noContent();
    });
  }

  async #observed(
    handler: string,
    reply: FastifyReply,
    answer: () => Promise<Answer>,
  ): Promise<FastifyReply> {
    const start = performance.now();
    const answered = await answer();
    const seconds = (performance.now() - start) / 1000;
    this.#options.observer.served(handler, answered.status, seconds, answered.body.length);
    // A client must not wait for us on a connection that is about to end.
    if (this.#options.services.lifecycle.readiness() === "stopping") reply.header("connection", "close");
    return send(reply, answered);
  }

  #notReady(duringReplay: boolean): Answer | undefined {
    const readiness = this.#options.services.lifecycle.readiness();
    if (readiness === "ready" || (readiness === "starting" && duringReplay)) return undefined;
    return notReady(readiness === "stopping");
  }

  #addCors(request: FastifyRequest, reply: FastifyReply, compressed: boolean): void {
    reply.header("vary", compressed ? ["Accept-Encoding", "Origin"] : "Origin");
    reply.headers(this.#options.cors(request.headers.origin ?? ""));
  }

  async #wrapped(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
    const { whenReady, duringReplay, cors, compressed } = route.wrapping;
    const blocked = whenReady ? this.#notReady(duringReplay) : undefined;
    if (blocked !== undefined) return blocked;
    if (cors) this.#addCors(request, reply, compressed);
    const answer = await this.#answer(route, request, reply);
    const encoding = compressed ? acceptedEncoding(request.headers["accept-encoding"] ?? "") : undefined;
    if (encoding === undefined || answer.status === 204) return answer;
    const body = await compress(encoding, answer.body);
    return { ...answer, headers: { ...answer.headers, "content-encoding": encoding }, body };
  }

  async #answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
    const gone = new AbortController();
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    try {
      return await route.handler(
        this.#options.services,
        await apiRequest(request, route.wrapping.rawBody, gone.signal),
      );
    } catch (error) {
      return this.failed(error as Error, request);
    }
  }

  /** The answer to a request that ended with an exception. */
  failed(error: Error, request: FastifyRequest): Answer {
    if (error instanceof ApiError) return failure(error.type, error.message);
    if (error instanceof ClientGoneError) return { ...noContent(), status: clientClosedRequest };
    if (error instanceof BodyTooLargeError) {
      const answer = textError(413, "http: request body too large");
      return { ...answer, headers: { ...answer.headers, connection: "close" } };
    }
    if (error instanceof NarthexError && error.code === "UNAVAILABLE") {
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

async function apiRequest(
  request: FastifyRequest,
  rawBody: boolean,
  signal: AbortSignal,
): Promise<ApiRequest> {
  const contentType = contentTypes.get(request.raw) ?? "";
  const hasBody = request.method === "POST" || request.method === "PUT";
  const body = hasBody
    ? await readBody(request.raw, rawBody ? writeBytesMax : formBytesMax)
    : new Uint8Array(0);
  const form = rawBody ? new FormValues() : await formOf(contentType, body);
  const urlValues = new FormValues();
  const question = request.url.indexOf("?");
  if (question >= 0) {
    const encoded = request.url.slice(question + 1);
    form.appendEncoded(encoded);
    urlValues.appendEncoded(encoded);
  }
  return {
    form,
    urlValues,
    pathParameters: request.params as Record<string, string | undefined>,
    header: (name) => (name === "content-type" ? contentType : String(request.headers[name] ?? "")),
    body,
    signal,
  };
}

/** Empty bodies too: fastify then adds no Content-Type of its own. */
function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  return reply.send(body.length === 0 ? undefined : Buffer.from(body.buffer, body.byteOffset, body.length));
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

/** Where there is no route: a redirect if only slashes or dots are in the way, otherwise 404. */
function elsewhere(app: FastifyInstance, request: FastifyRequest): Answer {
  const [path, query] = splitAt(request.url, "?");
  const clean = cleanPath(path);
  const other = clean.endsWith("/") ? clean.slice(0, -1) : `${clean}/`;
  const found = [clean, other].find((url) => url !== path && app.findRoute({ method: "GET", url }) !== null);
  return found === undefined ? textError(404, "404 page not found") : redirect(301, found + query);
}

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
