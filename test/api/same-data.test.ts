/**
 * The same samples written to Narthex and to a real Prometheus: the API's answers about them are the same bytes.
 * (Values of PromQL are compared elsewhere; here it is about parameters, order, limits, escaping, number formats.)
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { bitsOf, remoteWrite, staleBits } from "../peers/remote-write.ts";

const peers = havePeers("the API's answers about data, against Prometheus", "prometheus");

/** Seconds; on a whole minute, an hour ago. */
const base = Math.floor(Date.now() / 60_000) * 60 - 3600;

const values = [
  ...[0, -0, 1, -1.5, 0.1, 1e21, 1e20, 1e-6, 1e-7, 123456789.125, 5e-324, 1.7976931348623157e308],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1 + 0.2, 1 / 3, 2 ** 53 + 2],
];

const labelSets: Record<string, string>[] = [
  { __name__: "http_requests_total", job: "api", instance: "a:1", code: "200" },
  { __name__: "http_requests_total", job: "api", instance: "b:1", code: "500" },
  { __name__: "http_requests_total", job: "web", instance: "a:1" },
  { __name__: "odd", text: "<b>&'\u2028\u0001\n\t\\\"\u007f" },
  { __name__: "odd", text: "\u00fc\u{1F600}\ufffd" },
  { __name__: "utf8.name", "label.with.dots": "x" },
  ...Array.from({ length: 30 }, (_, i) => ({ __name__: "many", i: String(i), half: String(i % 2) })),
];

const at = `time=${base + 120}`;
const range = `start=${base}&end=${base + 180}&step=15`;
const span = `start=${base}&end=${base + 600}`;

const questions: string[] = [
  `query?query={__name__=~".%2B"}&${at}`,
  `query?query=http_requests_total&${at}`,
  `query?query=http_requests_total&${at}&limit=2`,
  `query?query=http_requests_total&${at}&limit=3`,
  `query?query=odd&${at}`,
  `query?query={"utf8.name"}&${at}`,
  `query?query=http_requests_total[2m]&time=${base + 60.5}`,
  `query?query=http_requests_total[2m]&${at}&limit=1`,
  `query?query=many[17s]&${at}`,
  `query?query=sum(many)by(half)&${at}`,
  `query?query=sort_desc(many)&${at}`,
  `query?query=topk(3,many)&${at}`,
  `query?query=scalar(sum(many))&${at}`,
  `query?query=absent(nothing{a="b"})&${at}`,
  `query?query=label_replace(vector(1),"a","<$0>","","")&${at}`,
  `query?query=http_requests_total&${at}&lookback_delta=1s`,
  `query?query=many&time=${base + 122}&lookback_delta=1s`,
  `query?query=rate(many[1m])&${at}`,
  `query_range?query=http_requests_total&${range}`,
  `query_range?query=http_requests_total&${range}&limit=1`,
  `query_range?query=many&start=${base - 100}&end=${base + 1000.25}&step=61.5`,
  `query_range?query=rate(many[1m])&${range}`,
  `query_range?query=sum(many)by(half)&${range}`,
  `query_range?query=odd&${range}&lookback_delta=5s`,
  `query_range?query=time()&start=${base}.1&end=${base + 1}&step=0.333`,
  `query_range?query=quantile(2,many)&${range}`,
  `series?match[]=http_requests_total&${span}`,
  `series?match[]=http_requests_total&${span}&limit=2`,
  `series?match[]={half="1"}&match[]=odd&match[]={i=~"1.*"}&${span}`,
  `series?match[]={half="1"}&match[]=odd&${span}&limit=5`,
  `series?match[]={__name__=~".%2B"}&start=${base - 9000}&end=${base - 8000}`,
  `labels?${span}`,
  `labels?${span}&limit=3`,
  `labels?match[]=odd&${span}`,
  `labels?match[]=odd&match[]=many&${span}`,
  `label/__name__/values?${span}`,
  `label/text/values?${span}`,
  `label/i/values?match[]=many{half="0"}&${span}`,
  `label/i/values?match[]=many{half="0"}&match[]=many{i="1"}&${span}&limit=40`,
  `label/code/values?match[]=http_requests_total&${span}`,
  "label/label.with.dots/values",
  "label/U__label_2e_with_2e_dots/values",
  "label/job/values",
  "labels",
  "status/walreplay",
];

/** Two places where Prometheus's tables are in no fixed order, or measure its own memory. */
const unordered = ["memoryInBytesByLabelName"];

describe.skipIf(!peers)("both servers answer", () => {
  let dir: string;
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-same-"));
    for (const kind of ["prometheus", "narthex"]) servers.push(await startServer(kind, join(dir, kind)));
    for (const [step, bits] of [...values.map(bitsOf), staleBits].entries()) {
      const t = (base + step * 15) * 1000 + (step % 3);
      const series = labelSets.map((labels) => ({ labels, samples: [{ t, bits }] }));
      for (const { url } of servers)
        expect(await remoteWrite(url, series)).toEqual({ status: 204, text: "" });
    }
  });
  afterAll(async () => {
    for (const server of servers) await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  async function ask(path: string): Promise<string[]> {
    return Promise.all(
      servers.map(async ({ url }) => {
        const answer = await fetch(`${url}/api/v1/${path}`);
        return `${answer.status} ${answer.headers.get("content-type")} ${await answer.text()}`;
      }),
    );
  }

  test.each(questions)("%s", async (question) => {
    const [theirs, ours] = await ask(question);
    expect(ours).toBe(theirs);
    expect(theirs.startsWith("200")).toBe(true);
  });

  test("status/tsdb", async () => {
    const [theirs, ours] = (await ask("status/tsdb?limit=1000")).map((text) => {
      const { data } = JSON.parse(text.slice(text.indexOf("{")));
      for (const table of unordered) delete data[table];
      const order = (list: { name: string; value: number }[]) =>
        list.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
      for (const [key, table] of Object.entries(data)) if (Array.isArray(table)) data[key] = order(table);
      return data;
    });
    expect(ours).toEqual(theirs);
  });
});
