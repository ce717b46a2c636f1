/** The address of a target's page, written as Go's `net/url` writes it. */
import type { Labels } from "../model/labels.ts";

type Params = Readonly<Record<string, readonly string[]>>;

/** `params` are the job's; a label `__param_x` replaces the first value of x. */
export function targetUrl(labels: Labels, params: Params): string {
  const query = new Map(Object.entries(params).map(([name, values]) => [name, [...values]]));
  for (const [name, value] of labels.entries()) {
    if (!name.startsWith("__param_")) continue;
    const key = name.slice("__param_".length);
    query.set(key, [value, ...(query.get(key) ?? []).slice(1)]);
  }
  const unix = labels.get("__unix_socket__") !== "";
  const host = labels.get("__address__") || (unix ? "localhost" : "");
  const path = labels.get("__metrics_path__");
  const slash = path === "" || path.startsWith("/") ? "" : "/";
  const search = encodeQuery(query);
  return `${labels.get("__scheme__")}://${host}${slash}${encodePath(path)}${search === "" ? "" : `?${search}`}`;
}

/** Sorted by name, spaces as "+". */
function encodeQuery(query: ReadonlyMap<string, readonly string[]>): string {
  return [...query.keys()]
    .sort()
    .flatMap((name) => (query.get(name) ?? []).map((value) => `${encodePart(name)}=${encodePart(value)}`))
    .join("&");
}

function encodePart(text: string): string {
  return escapeExcept(text, /[A-Za-z0-9\-_.~]/).replaceAll("%20", "+");
}

function encodePath(path: string): string {
  return escapeExcept(path, /[A-Za-z0-9\-_.~$&+,/:;=@]/);
}

function escapeExcept(text: string, allowed: RegExp): string {
  let result = "";
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte);
    result +=
      byte < 0x80 && allowed.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}
