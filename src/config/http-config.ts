/** The HTTP client's part of a scrape job or Alertmanager: authentication, headers, proxy, redirects. */
import type { ConfiguredHeader, HttpClientSettings } from "../base/http-client.ts";
import { defaultHttpClientSettings } from "../base/http-client.ts";
import { joinDirectory } from "./path.ts";
import type { ConfigNode, FieldReaders } from "./yaml-node.ts";

/** Headers that the client itself sets, or that would break the connection. */
const reservedHeaders = new Set([
  "authorization",
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-prometheus-scrape-timeout-seconds",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the keys while their mapping is read, then checks how they go together. */
export class HttpConfigReader {
  readonly readers: FieldReaders;
  enableHttp2 = true;
  readonly #dir: string;
  readonly #settings: Mutable<HttpClientSettings> = { ...defaultHttpClientSettings };
  #bearerToken = "";
  #bearerTokenFile = "";

  /** `dir` is the directory of the file: relative paths start there. */
  constructor(dir: string) {
    this.#dir = dir;
    const settings = this.#settings;
    this.readers = {
      basic_auth: (node) => this.#basicAuth(node),
      authorization: (node) => this.#authorization(node),
      oauth2: (node) => refuse(node, "OAuth 2"),
      bearer_token: (node) => {
        this.#bearerToken = node.text();
      },
      bearer_token_file: (node) => {
        this.#bearerTokenFile = joinDirectory(dir, node.text());
      },
      tls_config: (node) => refuse(node, "settings for TLS"),
      follow_redirects: (node) => {
        settings.followRedirects = node.boolean();
      },
      enable_http2: (node) => {
        this.enableHttp2 = node.boolean();
      },
      proxy_url: (node) => {
        settings.proxyUrl = readProxyUrl(node);
      },
      no_proxy: (node) => {
        settings.noProxy = node.text();
      },
      proxy_from_environment: (node) => {
        settings.proxyFromEnvironment = node.boolean();
      },
      proxy_connect_header: (node) => {
        settings.proxyConnectHeader = Object.fromEntries(
          node.entries().map(([name, values]) => [name, values.texts()]),
        );
      },
      http_headers: (node) => {
        settings.headers = this.#headers(node);
      },
    };
  }

  #basicAuth(node: ConfigNode): void {
    if (node.isNull) return;
    const auth = { username: "", usernameFile: "", password: "", passwordFile: "" };
    node.readFields({
      username: (value) => {
        auth.username = value.text();
      },
      username_file: (value) => {
        auth.usernameFile = joinDirectory(this.#dir, value.text());
      },
      username_ref: (value) => refuse(value, "secrets of a secret manager"),
      password: (value) => {
        auth.password = value.text();
      },
      password_file: (value) => {
        auth.passwordFile = joinDirectory(this.#dir, value.text());
      },
      password_ref: (value) => refuse(value, "secrets of a secret manager"),
    });
    if (auth.username !== "" && auth.usernameFile !== "") {
      throw node.error("at most one of username and username_file may be set");
    }
    if (auth.password !== "" && auth.passwordFile !== "") {
      throw node.error("at most one of password and password_file may be set");
    }
    this.#settings.basicAuth = auth;
  }

  #authorization(node: ConfigNode): void {
    if (node.isNull) return;
    const auth = { type: "", credentials: "", credentialsFile: "" };
    node.readFields({
      type: (value) => {
        auth.type = value.text().trim();
        if (auth.type.toLowerCase() === "basic") {
          throw value.error('the type cannot be "basic"; use basic_auth instead');
        }
      },
      credentials: (value) => {
        auth.credentials = value.text();
      },
      credentials_file: (value) => {
        auth.credentialsFile = joinDirectory(this.#dir, value.text());
      },
      credentials_ref: (value) => refuse(value, "secrets of a secret manager"),
    });
    if (auth.credentials !== "" && auth.credentialsFile !== "") {
      throw node.error("at most one of credentials and credentials_file may be set");
    }
    this.#settings.authorization = { ...auth, type: auth.type === "" ? "Bearer" : auth.type };
  }

  #headers(node: ConfigNode): Record<string, ConfiguredHeader> {
    const headers = node.entries().map(([name, value]): [string, ConfiguredHeader] => {
      if (reservedHeaders.has(name.toLowerCase())) throw value.error("this header cannot be set here");
      const header = { values: [] as string[], secrets: [] as string[], files: [] as string[] };
      value.readFields({
        values: (list) => {
          header.values = list.texts();
        },
        secrets: (list) => {
          header.secrets = list.texts();
        },
        files: (list) => {
          header.files = list.texts().map((path) => joinDirectory(this.#dir, path));
        },
      });
      return [name, header];
    });
    return Object.fromEntries(headers);
  }

  /** `node` is the mapping whose keys were read. */
  finish(node: ConfigNode): HttpClientSettings {
    this.#addBearer(node);
    const settings = this.#settings;
    if (settings.basicAuth !== undefined && settings.authorization !== undefined) {
      throw node.error("at most one of basic_auth, oauth2 and authorization may be set");
    }
    const { proxyUrl, noProxy, proxyFromEnvironment } = settings;
    if (Object.keys(settings.proxyConnectHeader).length > 0 && proxyUrl === "" && !proxyFromEnvironment) {
      throw node.error("proxy_connect_header needs proxy_url or proxy_from_environment");
    }
    if (proxyFromEnvironment && (proxyUrl !== "" || noProxy !== "")) {
      throw node.error("proxy_from_environment excludes proxy_url and no_proxy");
    }
    if (noProxy !== "" && proxyUrl === "") throw node.error("no_proxy needs proxy_url");
    return settings;
  }

  /** The old spelling of `authorization`. */
  #addBearer(node: ConfigNode): void {
    const token = this.#bearerToken;
    const file = this.#bearerTokenFile;
    if (token === "" && file === "") return;
    if (token !== "" && file !== "") {
      throw node.error("at most one of bearer_token and bearer_token_file may be set");
    }
    if (this.#settings.basicAuth !== undefined || this.#settings.authorization !== undefined) {
      throw node.error("bearer_token and bearer_token_file exclude basic_auth, oauth2 and authorization");
    }
    this.#settings.authorization = { type: "Bearer", credentials: token, credentialsFile: file };
  }
}

/** Refuses what has an effect in Prometheus; empty values have none. */
export function refuse(node: ConfigNode, what: string): void {
  if (!node.isEmpty) throw node.notYet(what);
}

function readProxyUrl(node: ConfigNode): string {
  const text = node.text();
  if (text === "") return "";
  const protocol = URL.canParse(text) ? new URL(text).protocol : undefined;
  if (protocol === undefined) throw node.error(`"${text}" is not a URL`);
  if (protocol !== "http:" && protocol !== "https:") {
    throw node.notYet(`a proxy that speaks ${protocol.slice(0, -1)}`);
  }
  return text;
}
