/**
 * Where a target can be reached from outside: a target on this very host is shown under the server's external
 * address, and a target that is this very server under the external URL.
 */
export interface ExternalAddress {
  /** The first `--web.listen-address`: "0.0.0.0:9090". */
  readonly listenAddress: string;
  readonly externalUrl: URL;
}

const localHosts = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** `problem` is "" where the URL could be read. */
export function globalUrl(scrapeUrl: string, external: ExternalAddress): { url: string; problem: string } {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(.*)$/is.exec(scrapeUrl);
  if (parts === null) return { url: scrapeUrl, problem: "the target's URL has no host" };
  const [, scheme, host, port, rest] = parts;
  if (!localHosts.has(host)) return { url: scrapeUrl, problem: "" };
  const ownPort = /:(\d+)$/.exec(external.listenAddress)?.[1];
  if (port !== undefined && port === ownPort) {
    return { url: `${external.externalUrl.protocol}//${external.externalUrl.host}${rest}`, problem: "" };
  }
  const reachable = external.externalUrl.hostname + (port === undefined || port === "" ? "" : `:${port}`);
  return { url: `${scheme}://${reachable}${rest}`, problem: "" };
}
