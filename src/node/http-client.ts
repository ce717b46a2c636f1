/**
 * HTTP over undici: keep-alive connections per job, redirects, proxies, authentication from files, gzip while the body
 * arrives. Credentials do not follow a redirect to another host.
 */
import { readFile } from "node:fs/promises";
import { Agent, type Dispatcher, ProxyAgent } from "undici";
import type {
  HttpClient,
  HttpClientSettings,
  HttpClients,
  HttpRequest,
  HttpResponse,
} from "../base/http-client.ts";
import { BodyBudget } from "./body-buffer.ts";
import { exchange, RequestError } from "./http-exchange.ts";
import { chooseProxy } from "./proxy-choice.ts";

const redirectsMax = 10;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** Never sent to another host than the one asked for. */
const sensitiveHeaders = new Set([
  "authorization",
  "www-authenticate",
  "cookie",
  "cookie2",
  "proxy-authorization",
  "proxy-authenticate",
]);

/** Idle connections are kept longer than any usual scrape interval. The caller's signal is the only other timeout. */
const agentOptions = {
  keepAliveTimeout: 5 * 60_000,
  keepAliveMaxTimeout: 5 * 60_000,
  headersTimeout: 0,
  bodyTimeout: 0,
  connect: { timeout: 30_000 },
} as const;

type HeaderValues = Map<string, { readonly name: string; readonly values: string[] }>;

export class NodeHttpClients implements HttpClients {
  readonly #budget = new BodyBudget();
  readonly #env: Readonly<Record<string, string | undefined>>;

  /** `env` has HTTP_PROXY and its like. */
  constructor(env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#env = env;
  }

  open(settings: HttpClientSettings): HttpClient {
    return new NodeHttpClient(settings, this.#budget, this.#env);
  }
}

class NodeHttpClient implements HttpClient {
  readonly #settings: HttpClientSettings;
  readonly #budget: BodyBudget;
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** By what they connect to: "" directly, "unix:…" a socket, "proxy:…" a tunnel. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** Where a request succeeded: a connection that fails there may only have been idle for too long. */
  readonly #known = new Set<string>();

  constructor(
    settings: HttpClientSettings,
    budget: BodyBudget,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#settings = settings;
    this.#budget = budget;
    this.#env = env;
  }

  async get(request: HttpRequest): Promise<HttpResponse> {
    const first = parseUrl(request.url);
    let url = first;
    let foreign = false;
    for (let redirects = 0; ; redirects++) {
      const headers = await this.#headers(request, foreign);
      const answer = await this.#send(url, request, headers);
      const followed = this.#settings.followRedirects && redirectStatuses.has(answer.status);
      if (!followed || answer.location === "") return answer;
      if (redirects + 1 >= redirectsMax) throw failure(url, `stopped after ${redirectsMax} redirects`);
      url = parseUrl(answer.location, url);
      foreign ||= !isSameOrBelow(url.hostname, first.hostname);
    }
  }

  close(): void {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close().catch(() => dispatcher.destroy());
  }

  async #send(url: URL, request: HttpRequest, headers: HeaderValues) {
    const proxy = request.unixSocket === "" ? chooseProxy(this.#settings, this.#env, url) : "";
    const route = this.#route(url, request.unixSocket, proxy, headers);
    const options = {
      ...route,
      headers: Object.fromEntries([...headers.values()].map(({ name, values }) => [name, oneOrMore(values)])),
      request,
      budget: this.#budget,
    };
    const place = `${route.origin} ${request.unixSocket}`;
    try {
      const answer = await exchange(options).catch((error: unknown) => {
        // The server may have closed the idle connection at this very moment: that deserves a new one.
        const stale = error instanceof RequestError && error.connectionLost && this.#known.has(place);
        if (!stale || request.signal.aborted) throw error;
        return exchange(options);
      });
      this.#known.add(place);
      return answer;
    } catch (error) {
      if (error instanceof RequestError) throw failure(url, error.message, error);
      throw error;
    }
  }

  #route(url: URL, unixSocket: string, proxy: string, headers: HeaderValues) {
    const path = requestTarget(url);
    if (unixSocket !== "") {
      const dispatcher = this.#dispatcher(
        `unix:${unixSocket}`,
        () => new Agent({ ...agentOptions, connect: { ...agentOptions.connect, socketPath: unixSocket } }),
      );
      return { dispatcher, origin: url.origin, path };
    }
    if (proxy === "") {
      return { dispatcher: this.#dispatcher("", () => new Agent(agentOptions)), origin: url.origin, path };
    }
    const through = parseUrl(proxy);
    const login = proxyLogin(through);
    if (url.protocol === "https:") {
      const connectHeaders = Object.fromEntries(
        Object.entries(this.#settings.proxyConnectHeader).map(([name, values]) => [name, values.join(", ")]),
      );
      const dispatcher = this.#dispatcher(
        `proxy:${proxy}`,
        () => new ProxyAgent({ ...agentOptions, uri: through.origin, token: login, headers: connectHeaders }),
      );
      return { dispatcher, origin: url.origin, path };
    }
    if (login !== undefined) setHeader(headers, "Proxy-Authorization", login);
    setHeader(headers, "Host", url.host);
    return {
      dispatcher: this.#dispatcher("", () => new Agent(agentOptions)),
      origin: through.origin,
      path: url.origin + path,
    };
  }

  #dispatcher(key: string, create: () => Dispatcher): Dispatcher {
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      dispatcher = create();
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  /** The request's own headers, then the configured ones, then authentication unless those bring some. */
  async #headers(request: HttpRequest, foreign: boolean): Promise<HeaderValues> {
    const headers: HeaderValues = new Map();
    for (const [name, value] of Object.entries(request.headers)) addHeader(headers, name, value);
    for (const [name, { values, secrets, files }] of Object.entries(this.#settings.headers)) {
      if (foreign && sensitiveHeaders.has(name.toLowerCase())) continue;
      for (const value of [...values, ...secrets]) addHeader(headers, name, value);
      for (const file of files) addHeader(headers, name, await readSecret(file, `header ${name}`));
    }
    if (!foreign && !headers.has("authorization")) {
      const authorization = await this.#authorization();
      if (authorization !== undefined) addHeader(headers, "Authorization", authorization);
    }
    return headers;
  }

  async #authorization(): Promise<string | undefined> {
    const { authorization, basicAuth } = this.#settings;
    if (authorization !== undefined) {
      const { type, credentials, credentialsFile } = authorization;
      return `${type} ${await secretOf(credentials, credentialsFile, "authorization credentials")}`;
    }
    if (basicAuth === undefined) return undefined;
    const username = await secretOf(basicAuth.username, basicAuth.usernameFile, "basic auth username");
    const password = await secretOf(basicAuth.password, basicAuth.passwordFile, "basic auth password");
    return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch (error) {
    throw new Error(`"${text}" is not a valid URL`, { cause: error });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw failure(url, `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  return url;
}

/** Path and query; the fragment is not sent. */
function requestTarget(url: URL): string {
  return url.pathname + url.search;
}

function failure(url: URL, problem: string, cause?: unknown): Error {
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "xxxxx";
  return new Error(`Get "${shown.href}": ${problem}`, { cause });
}

function proxyLogin(proxy: URL): string | undefined {
  if (proxy.username === "") return undefined;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(login).toString("base64")}`;
}

function isSameOrBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function addHeader(headers: HeaderValues, name: string, value: string): void {
  const existing = headers.get(name.toLowerCase());
  if (existing === undefined) setHeader(headers, name, value);
  else existing.values.push(value);
}

/** undici takes no list where HTTP allows only one. */
function oneOrMore(values: string[]): string | string[] {
  return values.length === 1 ? values[0] : values;
}

function setHeader(headers: HeaderValues, name: string, value: string): void {
  headers.set(name.toLowerCase(), { name, values: [value] });
}

async function secretOf(text: string, file: string, what: string): Promise<string> {
  return text !== "" || file === "" ? text : readSecret(file, what);
}

async function readSecret(file: string, what: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new Error(`unable to read ${what}: unable to read file ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
