/**
 * Every endpoint: method, path, handler, and what stands around it. The server puts the route prefix before the paths
 * and uses them as the `handler` label of its own metrics, as Prometheus does.
 */
import type { ExternalAddress } from "./global-url.ts";
import type { Handler } from "./handler.ts";
import { cleanTombstones, deleteSeries, retentionDryRun, snapshot } from "./handlers/admin.ts";
import {
  healthy,
  lifecycleDisabled,
  onlyPostOrPut,
  quit,
  ready,
  reload,
  version,
} from "./handlers/management.ts";
import { metadata, targetMetadata } from "./handlers/metadata.ts";
import { notifications } from "./handlers/notifications.ts";
import { query, queryExemplars, queryRange } from "./handlers/query.ts";
import { alertmanagers, alerts, rules } from "./handlers/rules.ts";
import { labels, labelValues, series } from "./handlers/selection.ts";
import {
  type BuildInfo,
  buildInfo,
  config,
  flags,
  memory,
  runtimeInfo,
  tsdb,
  tsdbBlocks,
  walReplay,
} from "./handlers/status.ts";
import { scrapePools, targets } from "./handlers/targets.ts";
import { write } from "./handlers/write.ts";

export interface ApiOptions extends ExternalAddress {
  readonly build: BuildInfo;
  readonly enableLifecycle: boolean;
}

export type Method = "GET" | "HEAD" | "POST" | "PUT";

/** What the server does around a handler. */
export interface Wrapping {
  /** 503 until the server is ready. */
  readonly whenReady: boolean;
  /**
   * Asked even while the WAL is replayed: blocks can be read then, what reaches into the head's time answers 503 by
   * itself, and what is to be stored waits a while.
   */
  readonly duringReplay: boolean;
  readonly cors: boolean;
  /** Compressed where the client asks for it. */
  readonly compressed: boolean;
  /** The handler gets the body as it is, instead of a form. */
  readonly rawBody: boolean;
}

export const plainWrapping: Wrapping = {
  whenReady: false,
  duringReplay: false,
  cors: false,
  compressed: false,
  rawBody: false,
};
const apiWrapping = { ...plainWrapping, whenReady: true, cors: true, compressed: true };
const queryWrapping = { ...apiWrapping, duringReplay: true };
const bodyWrapping = { ...plainWrapping, whenReady: true, duringReplay: true, rawBody: true };

export interface Route {
  readonly methods: readonly Method[];
  /** `:name` stands for one segment. */
  readonly path: string;
  readonly wrapping: Wrapping;
  readonly handler: Handler;
}

export const apiPrefix = "/api/v1";

const get = ["GET"] as const;
const getOrPost = ["GET", "POST"] as const;
const putOrPost = ["POST", "PUT"] as const;

export function routesOf(options: ApiOptions): readonly Route[] {
  return [...apiRoutes(options), ...managementRoutes(options)];
}

function apiRoutes(options: ApiOptions): Route[] {
  const table: [readonly Method[], string, Handler, Wrapping?][] = [
    [getOrPost, "/query", query, queryWrapping],
    [getOrPost, "/query_range", queryRange, queryWrapping],
    [getOrPost, "/query_exemplars", queryExemplars],
    [getOrPost, "/labels", labels, queryWrapping],
    [get, "/label/:name/values", labelValues, queryWrapping],
    [getOrPost, "/series", series, queryWrapping],
    [get, "/scrape_pools", scrapePools],
    [get, "/targets", targets(options)],
    [get, "/targets/metadata", targetMetadata],
    [get, "/alertmanagers", alertmanagers],
    [get, "/metadata", metadata],
    [get, "/status/config", config],
    [get, "/status/runtimeinfo", runtimeInfo],
    [get, "/status/buildinfo", buildInfo(options.build)],
    [get, "/status/flags", flags],
    [get, "/status/tsdb", tsdb],
    [get, "/status/tsdb/blocks", tsdbBlocks],
    [get, "/status/memory", memory],
    [get, "/status/walreplay", walReplay, { ...plainWrapping, cors: true }],
    [["POST"], "/write", write, bodyWrapping],
    [get, "/notifications", notifications, { ...plainWrapping, cors: true }],
    [get, "/alerts", alerts],
    [get, "/rules", rules],
    [putOrPost, "/admin/tsdb/delete_series", deleteSeries],
    [putOrPost, "/admin/tsdb/clean_tombstones", cleanTombstones],
    [putOrPost, "/admin/tsdb/snapshot", snapshot],
    [get, "/admin/tsdb/retention_dry_run", retentionDryRun],
  ];
  return table.map(([methods, path, handler, wrapping = apiWrapping]) => ({
    methods,
    path: apiPrefix + path,
    wrapping,
    handler,
  }));
}

function managementRoutes({ build, enableLifecycle }: ApiOptions): Route[] {
  const plain = (methods: readonly Method[], path: string, handler: Handler): Route => ({
    methods,
    path,
    wrapping: plainWrapping,
    handler,
  });
  return [
    plain(get, "/version", version(build)),
    plain(["GET", "HEAD"], "/-/healthy", healthy),
    {
      methods: ["GET", "HEAD"],
      path: "/-/ready",
      wrapping: { ...plainWrapping, whenReady: true },
      handler: ready,
    },
    plain(putOrPost, "/-/quit", enableLifecycle ? quit : lifecycleDisabled),
    plain(putOrPost, "/-/reload", enableLifecycle ? reload : lifecycleDisabled),
    plain(get, "/-/quit", onlyPostOrPut),
    plain(get, "/-/reload", onlyPostOrPut),
  ];
}
