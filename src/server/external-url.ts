import { ConfigError } from "../base/errors.ts";
import { parseListenAddress } from "./listeners.ts";

/**
 * The URL under which users reach this server: `--web.external-url`, or the host's name and the port of the first
 * address. Its path has no slash at the end, unless it is "/".
 */
export function externalUrl(given: string, hostname: string, listenAddress: string): URL {
  const text = given === "" ? `http://${hostname}:${parseListenAddress(listenAddress).port}/` : given;
  if (/^["']|["']$/.test(text)) {
    throw refuse(given, "begins or ends with a quote, which is probably not meant");
  }
  if (!URL.canParse(text)) throw refuse(given, "is not a URL");
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw refuse(given, "must begin with http:// or https://");
  url.pathname = `/${url.pathname.replace(/^\/+|\/+$/g, "")}`;
  return url;
}

function refuse(given: string, problem: string): ConfigError {
  return new ConfigError("command line", 0, "--web.external-url", `"${given}" ${problem}`);
}
