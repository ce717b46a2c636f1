/**
 * The `alerting` block, as far as it asks for nothing: the usual example file lists an Alertmanager without targets,
 * and that file must load. Anything that would send alerts is refused.
 */
import type { AlertingConfig, AlertmanagerConfig } from "./config.ts";
import { otherDiscoveries } from "./discoveries.ts";
import { HttpConfigReader, refuse } from "./http-config.ts";
import { readStaticConfigs } from "./scrape-config.ts";
import type { ConfigNode } from "./yaml-node.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const what = "sending alerts to Alertmanagers";

export function readAlerting(node: ConfigNode): AlertingConfig {
  let alertmanagers: readonly AlertmanagerConfig[] = [];
  node.readFields({
    alert_relabel_configs: (value) => refuse(value, what),
    alertmanagers: (value) => {
      alertmanagers = value.items().map(readAlertmanager);
    },
  });
  return { alertmanagers };
}

function readAlertmanager(node: ConfigNode): AlertmanagerConfig {
  if (node.isNull) throw node.error("the Alertmanager is empty");
  const http = new HttpConfigReader("");
  const config: Mutable<AlertmanagerConfig> = {
    scheme: "http",
    pathPrefix: "",
    timeoutMs: 10_000,
    followRedirects: true,
    enableHttp2: true,
    staticConfigs: [],
  };
  const others = Object.keys({ ...http.readers, ...otherDiscoveries, file_sd_configs: 0, sigv4: 0 });
  node.readFields({
    ...Object.fromEntries(others.map((key) => [key, (value: ConfigNode) => refuse(value, what)])),
    follow_redirects: http.readers.follow_redirects,
    enable_http2: http.readers.enable_http2,
    scheme: (value) => {
      config.scheme = value.text();
    },
    path_prefix: (value) => {
      config.pathPrefix = value.text();
    },
    timeout: (value) => {
      config.timeoutMs = value.durationMs();
    },
    api_version: (value) => {
      value.oneOf(["v2"]);
    },
    relabel_configs: (value) => refuse(value, what),
    alert_relabel_configs: (value) => refuse(value, what),
    static_configs: (value) => {
      config.staticConfigs = readStaticConfigs(value);
      if (config.staticConfigs.some((group) => group.targets.length > 0)) throw value.notYet(what);
    },
  });
  config.followRedirects = http.finish(node).followRedirects;
  config.enableHttp2 = http.enableHttp2;
  return config;
}
