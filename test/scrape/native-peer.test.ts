/** Native histograms as a real Prometheus scrapes them and as the built server does, off the same pages. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { delimited, type Field, family, label, message } from "./protobuf-page.ts";

const peers = havePeers("native histograms as Prometheus scrapes them", "prometheus");
const zigzag = (value: number) => (value >= 0 ? 2 * value : -2 * value - 1);
const span = (offset: number, length: number) =>
  message([1, "varint", zigzag(offset)], [2, "varint", length]);
const bucket = (bound: number, count: number): Field => [
  3,
  "bytes",
  message([1, "varint", count], [2, "double", bound]),
];
const metric = (name: string, ...fields: readonly Field[]) =>
  message(label("kind", name), [7, "bytes", message(...fields)]);

const exponential = metric(
  "exponential",
  [1, "varint", 13],
  [2, "double", 12.5],
  [5, "varint", zigzag(2)],
  [6, "double", 0.001],
  [7, "varint", 1],
  [9, "bytes", span(1, 2)],
  [10, "bytes", Uint8Array.of(zigzag(3), zigzag(-3))],
  [12, "bytes", span(-1, 3)],
  [12, "bytes", span(4, 1)],
  [13, "bytes", Uint8Array.of(zigzag(2), zigzag(-2), zigzag(4), zigzag(-1))],
  bucket(1, 5),
  bucket(2, 13),
);
const floats = metric(
  "float",
  [4, "double", 1.5],
  [2, "double", 2],
  [5, "varint", 0],
  [12, "bytes", span(0, 2)],
  [14, "double", 0.5],
  [14, "double", 1],
);
const classic = metric(
  "classic",
  [1, "varint", 9],
  [2, "double", 7],
  bucket(0.5, 2),
  bucket(1, 2),
  bucket(2.5, 9),
);
const page = delimited(
  family("h", 4, exponential, floats),
  // A family of its own: Prometheus 3.5 takes a family's first metric for all of them.
  family("c", 4, classic),
  family(
    "g",
    5,
    metric(
      "gauge",
      [1, "varint", 2],
      [2, "double", 3],
      [5, "varint", 0],
      [12, "bytes", span(0, 1)],
      [13, "bytes", Uint8Array.of(zigzag(2))],
    ),
  ),
);
const text = `# TYPE t histogram
t_bucket{le="1"} 2
t_bucket{le="4"} 2
t_bucket{le="8"} 2
t_bucket{le="16"} 2
t_bucket{le="32"} 7
t_bucket{le="+Inf"} 8
t_sum 99.5
t_count 8
`;

let pages: Server;
let dir: string;
const jobs = (native: string) => `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
${[
  ["native", ""],
  ["both", "always_scrape_classic_histograms: true"],
  ["custom", "convert_classic_histograms_to_nhcb: true"],
  ["limited", "native_histogram_bucket_limit: 3, native_histogram_min_bucket_factor: 1.9"],
  ["text", "convert_classic_histograms_to_nhcb: true, metrics_path: /text"],
]
  .map(
    ([name, more]) =>
      `  - {job_name: ${name}, ${native}${more === "" ? "" : `${more}, `}static_configs: [{targets: ["127.0.0.1:${(pages.address() as AddressInfo).port}"]}]}`,
  )
  .join("\n")}
`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-native-"));
  pages = createServer((request, response) => {
    const isText = request.url === "/text";
    response.setHeader(
      "Content-Type",
      isText
        ? "text/plain; version=0.0.4"
        : "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    );
    response.end(isText ? text : page);
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  pages?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Every series of the pages, by its labels. */
async function scraped(url: string): Promise<Record<string, unknown>> {
  const query = '{__name__=~"[hgct](_.*)?"}';
  let found: Record<string, unknown> = {};
  await expect
    .poll(
      async () => {
        const result = resultOf(await queryInstant(url, query, Date.now() / 1000)) as unknown as {
          metric: Record<string, string>;
          value?: [number, unknown];
          histogram?: [number, unknown];
        }[];
        found = Object.fromEntries(
          result.map(({ metric, value, histogram }) => [
            JSON.stringify(Object.entries(metric).sort()),
            value?.[1] ?? histogram?.[1],
          ]),
        );
        return new Set(result.map(({ metric }) => metric.job)).size;
      },
      { timeout: 30_000 },
    )
    .toBe(5);
  return found;
}

test.skipIf(!peers)("the same histograms, bucket by bucket", { timeout: 90_000 }, async () => {
  const theirs = await startServer("prometheus", join(dir, "theirs"), {
    config: jobs(""),
    flags: ["--enable-feature=native-histograms"],
  });
  try {
    const want = await scraped(theirs.url);
    await theirs.kill();
    const ours = await startServer("narthex", join(dir, "ours"), {
      config: jobs("scrape_native_histograms: true, "),
    });
    try {
      expect(await scraped(ours.url)).toEqual(want);
    } finally {
      await ours.kill();
    }
    expect(Object.keys(want).length).toBeGreaterThan(20);
  } finally {
    await theirs.kill();
  }
});
