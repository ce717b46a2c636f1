/** Which proxy a request goes through, as Go's httpproxy package decides it. */
import { BlockList, isIP } from "node:net";
import type { HttpClientSettings } from "../base/http-client.ts";

type Env = Readonly<Record<string, string | undefined>>;
type ProxySettings = Pick<HttpClientSettings, "proxyUrl" | "noProxy" | "proxyFromEnvironment">;

/** "" for none. */
export function chooseProxy(settings: ProxySettings, env: Env, url: URL): string {
  const { proxyUrl, noProxy } = settings;
  if (!settings.proxyFromEnvironment) {
    if (proxyUrl === "" || noProxy === "") return proxyUrl;
    return isDirect(url, noProxy) ? "" : proxyUrl;
  }
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const fromEnv = (env[name.toUpperCase()] || env[name]) ?? "";
  if (fromEnv === "" || isDirect(url, (env.NO_PROXY || env.no_proxy) ?? "")) return "";
  return fromEnv.includes("://") ? fromEnv : `http://${fromEnv}`;
}

/** Hosts of the list, its domains and networks, and the machine itself are reached directly. */
function isDirect(url: URL, noProxy: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  if (host === "localhost" || isLoopback(host)) return true;
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && matches(entry, host, port));
}

function isLoopback(host: string): boolean {
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const network = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry);
  if (network !== null) return isWithin(host, network[1], Number(network[2]));
  const [, name, wantedPort] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(entry) as RegExpExecArray;
  if (isIP(entry) !== 0) return host === entry;
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name) !== 0) return host === name;
  const domain = name.replace(/^\*?\./, "");
  // ".example.com" means the hosts below it; "example.com" means itself too.
  return host.endsWith(`.${domain}`) || (domain === name && host === name);
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}
