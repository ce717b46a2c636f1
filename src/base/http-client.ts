/**
 * GET over HTTP as scraping and service discovery need it. `node/http-client.ts` is the real one; tests pass a fake.
 * Whoever asks owns the time: the timeout is the caller's {@link HttpRequest.signal}.
 */

/** A header of the configuration: all values are sent, in the order values, secrets, contents of the files. */
export interface ConfiguredHeader {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
  readonly files: readonly string[];
}

/**
 * How to reach a group of servers. Files are read again for every request, so that credentials may rotate. "" and
 * undefined mean "not set".
 */
export interface HttpClientSettings {
  readonly basicAuth:
    | {
        readonly username: string;
        readonly usernameFile: string;
        readonly password: string;
        readonly passwordFile: string;
      }
    | undefined;
  readonly authorization:
    | { readonly type: string; readonly credentials: string; readonly credentialsFile: string }
    | undefined;
  readonly headers: Readonly<Record<string, ConfiguredHeader>>;
  readonly followRedirects: boolean;
  readonly proxyUrl: string;
  /** Comma-separated hosts, domains and networks that are reached directly; only with `proxyUrl`. */
  readonly noProxy: string;
  readonly proxyFromEnvironment: boolean;
  readonly proxyConnectHeader: Readonly<Record<string, readonly string[]>>;
}

export const defaultHttpClientSettings: HttpClientSettings = {
  basicAuth: undefined,
  authorization: undefined,
  headers: {},
  followRedirects: true,
  proxyUrl: "",
  noProxy: "",
  proxyFromEnvironment: false,
  proxyConnectHeader: {},
};

export interface HttpRequest {
  /** Absolute, http or https. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A body that decompresses to this many bytes or more is refused ({@link BodySizeError}); 0: only a safety bound. */
  readonly bodyBytesMax: number;
  /** What the last answer had: the buffer starts at this size. */
  readonly bodyBytesExpected: number;
  /** A Unix domain socket to connect to instead of the URL's host; "": none. */
  readonly unixSocket: string;
  /** Aborting ends the request and its connection; its reason becomes the error. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** The number and the reason as the server sent them: "404 Not Found". */
  readonly statusLine: string;
  /** "" where missing. */
  readonly contentType: string;
  /** Decompressed. A view whose buffer holds nothing else: it may be transferred. Empty unless the status is 200. */
  readonly body: Uint8Array;
}

export interface HttpClient {
  /** Rejects with an Error whose message says what went wrong, worded as Prometheus words it where it does. */
  get(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections; requests that run finish first. */
  close(): void;
}

/** Opens clients; they share one bound on the memory of bodies in flight. */
export interface HttpClients {
  open(settings: HttpClientSettings): HttpClient;
}

/** The body reached the size it must stay under. */
export class BodySizeError extends Error {
  override name = "BodySizeError";
}
