/** The page at the root: what is running, and where its endpoints are. */
import { text } from "../api/answer.ts";
import type { BuildInfo } from "../api/handlers/status.ts";
import { plainWrapping, type Route } from "../api/routes.ts";
import type { NotificationService, Readiness } from "../api/services.ts";

export interface RootPage {
  readonly build: BuildInfo;
  readonly dataDir: string;
  readonly configFile: string;
  readonly startTimeMs: number;
  /** "" where it is not known. */
  readonly fileSystem: string;
  readonly readiness: () => Readiness;
  readonly notifications: NotificationService;
  /** "" or "/prefix": where users reach the server. */
  readonly pathPrefix: string;
}

const endpoints: readonly (readonly [string, string])[] = [
  ["/metrics", "this server's own metrics"],
  ["/api/v1/targets", "what is scraped"],
  ["/api/v1/query?query=up", "a query (PromQL)"],
  ["/api/v1/label/__name__/values", "the names of all metrics"],
  ["/api/v1/metadata", "their help, type and unit"],
  ["/api/v1/status/config", "the configuration in force"],
  ["/api/v1/status/flags", "the command line"],
  ["/api/v1/status/runtimeinfo", "the process"],
  ["/api/v1/status/buildinfo", "versions"],
  ["/api/v1/status/tsdb", "the head: series, and which labels they come from"],
  ["/-/healthy", "200 while the process lives"],
  ["/-/ready", "200 once it can be asked everything"],
];

const states: Readonly<Record<Readiness, string>> = {
  starting: "starting: the write-ahead log is being replayed",
  ready: "ready",
  stopping: "stopping",
};

export function rootRoute(page: RootPage): Route {
  return {
    methods: ["GET"],
    path: "/",
    wrapping: plainWrapping,
    handler: () => text(200, html(page), { "content-type": "text/html; charset=utf-8" }),
  };
}

function html(page: RootPage): string {
  const { build, dataDir, fileSystem, configFile, startTimeMs, readiness, pathPrefix } = page;
  const facts: [string, string][] = [
    ["State", states[readiness()]],
    ["Behaves as", `Prometheus ${build.prometheusVersion}`],
    ["Configuration", configFile],
    ["Data", fileSystem === "" ? dataDir : `${dataDir} (${fileSystem})`],
    ["Running since", new Date(startTimeMs).toISOString()],
    ["Node", build.nodeVersion],
  ];
  const rows = facts.map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`);
  const links = endpoints.map(
    ([path, what]) => `<li><a href="${escapeHtml(pathPrefix + path)}">${escapeHtml(path)}</a> – ${what}</li>`,
  );
  const notes = page.notifications.notifications().map(({ text, dateMs }) => {
    const since = new Date(dateMs).toISOString();
    return `<p class="note">${escapeHtml(text)} <small>since ${since}</small></p>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Narthex</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:45rem;padding:0 1rem}th{text-align:left;padding-right:1rem;vertical-align:top}.note{background:#fff3cd;color:#332701;padding:.5rem 1rem}</style>
<h1>Narthex ${escapeHtml(build.narthexVersion)}</h1>
${notes.join("")}
<table>${rows.join("")}</table>
<h2>Endpoints</h2>
<ul>${links.join("")}</ul>
<p>In Grafana this server is a data source of the type Prometheus.</p>
</html>
`;
}

function escapeHtml(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
