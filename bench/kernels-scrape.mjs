#!/usr/bin/env node
// From the bytes of a scraped page to columns of (series slot, time, value): MB/s of the WebAssembly scanner and of its
// TypeScript twin, on pages of about 10 MB whose values all change from scrape to scrape.
//
//   node bench/kernels-scrape.mjs [--bytes 10000000] [--rounds 8] [--seed 1]
//
// Pages: one generated here (text), the same in OpenMetrics with timestamps and exemplars, and, where NARTHEX_SHARED
// names the shared folder, the pages in its data/exposition, repeated with a label per copy. What is timed is the whole
// way of an unchanged target's page, the copy into the scanner's memory included; "first" is the scrape in which every
// line is new, through the full parser. Both scanners must give the same columns.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "../scripts/build.mjs";
import { numberOptions } from "./options.mjs";
import { seededRandom } from "./random.mjs";

const distUrl = new URL("../dist/", import.meta.url);

async function load() {
  const module = (path) => import(new URL(path, distUrl));
  const [memory, kernel, cache, reader, layout, parsers, float] = await Promise.all([
    module("kernels/scrape-memory.js"),
    module("kernels/scrape-kernel.js"),
    module("kernels/scrape-cache.js"),
    module("kernels/scrape-reader.js"),
    module("kernels/scrape-layout.js"),
    module("textparse/new-parser.js"),
    module("textparse/float.js"),
  ]);
  const wasm = readFileSync(new URL("kernels/scrape.wasm", distUrl));
  return { ...memory, ...kernel, ...cache, ...reader, ...layout, ...parsers, ...float, wasm };
}

/** A page of one exporter: families of counters, gauges, summaries and histograms, as text with `V` for each value. */
function generatedTemplate({ uniform }, openMetrics) {
  const lines = [];
  const stamp = openMetrics ? " 1700000000.123" : "";
  const exemplar = openMetrics ? ' # {trace_id="5f3c9a7b21d84e60",span_id="91b7"} 0.043 1700000000.099' : "";
  for (let family = 0; family < 60; family++) {
    const name = `http_server_${["requests", "connections", "latency_seconds", "size_bytes"][family % 4]}_${family}`;
    const type = ["counter", "gauge", "histogram", "gauge"][family % 4];
    lines.push(
      `# HELP ${name} What the server counted, family ${family} of the generated page.`,
      `# TYPE ${name} ${type}`,
    );
    for (let i = 0; i < 12; i++) {
      const labels = `code="${200 + Math.floor(uniform() * 300)}",handler="/api/v1/items/${i}",method="GET"`;
      if (type === "histogram") {
        for (const le of ["0.005", "0.05", "0.5", "5.0", "+Inf"])
          lines.push(`${name}_bucket{${labels},le="${le}"} N${stamp}${exemplar}`);
        lines.push(`${name}_sum{${labels}} F${stamp}`, `${name}_count{${labels}} N${stamp}`);
      } else if (type === "counter") lines.push(`${name}_total{${labels}} N${stamp}${exemplar}`);
      else lines.push(`${name}{${labels}} F${stamp}`);
    }
  }
  return lines;
}

/** The lines of a real page with N and F for its values, so that they can be made anew. */
function templateOf(text) {
  return text
    .split("\n")
    .filter((line) => line !== "" && line !== "# EOF")
    .map((line) => {
      const match = /^(#.*|[^{\s]+(?:\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?) ?(\S*)(.*)$/.exec(line);
      if (line.startsWith("#") || match === null || /^[+-]?(inf|nan)$/i.test(match[2])) return line;
      return `${match[1]} ${/^-?\d+$/.test(match[2]) ? "N" : "F"}${match[3]}`;
    });
}

/** `copies` of the page, each series with a label for its copy. */
function repeat(template, bytes) {
  const size = template.reduce((sum, line) => sum + line.length + 24, 0);
  const copies = Math.max(1, Math.round(bytes / size));
  const lines = [];
  for (let copy = 0; copy < copies; copy++) {
    for (const line of template) {
      if (line.startsWith("#")) {
        lines.push(line);
        continue;
      }
      const space = line.search(/ (?:[NF]|\S+)(?: |$)/);
      const brace = line.indexOf("{");
      const inBraces = brace >= 0 && brace < line.indexOf(" ") + 1;
      const at = inBraces ? brace + 1 : space;
      const label = `copy="${copy}"`;
      lines.push(line.slice(0, at) + (inBraces ? `${label},` : `{${label}}`) + line.slice(at));
    }
  }
  return lines;
}

/** Values are what exporters write: integers of any size, and floats with the digits that Go prints. */
function fill(lines, random, openMetrics) {
  const text = lines.map((line) => {
    if (line.startsWith("#")) return line;
    return line.replace(/ ([NF])(?= |$)/, (_, kind) => {
      if (kind === "N") return ` ${Math.floor(10 ** (random.uniform() * 9))}`;
      const value = random.uniform() * 10 ** Math.floor(random.uniform() * 12 - 4);
      return ` ${random.uniform() < 0.5 ? Number(value.toPrecision(6)) : value}`;
    });
  });
  return Buffer.from(`${text.join("\n")}\n${openMetrics ? "# EOF\n" : ""}`);
}

/** What stands in for ingestion: first sights go through the full parser, columns into a checksum. */
class Sink {
  constructor(narthex, memory, cache, format) {
    Object.assign(this, { narthex, memory, cache, format, samples: 0, exemplars: 0, checksum: 0, slow: 0 });
  }

  read(page) {
    const { narthex, memory, cache, format } = this;
    const { Control } = narthex;
    this.parser = narthex.newParser(format === 1 ? "text/plain" : "application/openmetrics-text", page);
    this.samples = this.exemplars = this.checksum = this.slow = 0;
    cache.begin();
    memory.setControl(Control.format, format);
    memory.setControl(Control.honorTimestamps, 1);
    narthex.readPage(memory, cache, page, this);
    cache.end(true);
  }

  drain() {
    const { memory, narthex } = this;
    const { Control } = narthex;
    const n = memory.control(Control.samples);
    const at = (column, i) => (column >> 3) + i;
    for (let i = 0; i < n; i += 64) {
      this.checksum = (this.checksum * 31 + memory.u32[(narthex.slotColumn >> 2) + i]) % 4294967291;
      const value = memory.f64[at(narthex.valueColumn, i)];
      if (Number.isFinite(value)) this.checksum += value + memory.f64[at(narthex.timeColumn, i)];
    }
    this.samples += n;
    this.exemplars += memory.control(Control.exemplars);
  }

  line(offset) {
    const { parser, cache, narthex, format } = this;
    this.slow++;
    parser.seek(offset, parser.metricType);
    const entry = parser.next();
    if (entry === 0) return -1;
    const isSeries = entry === 5;
    const key = isSeries ? parser.seriesKey() : parser.bytes.subarray(offset, parser.position);
    let slot = cache.find(key);
    const bare = isSeries && key[key.length - 1] !== 0x7d ? narthex.markFlag : 0;
    const kind = isSeries ? narthex.Kind.series : narthex.Kind.comment;
    if (slot === 0) slot = cache.insert(key, kind | (format << narthex.formatShift) | bare);
    cache.setRef(slot, slot);
    cache.see(slot);
    return parser.position;
  }

  number(start, end, out) {
    const text =
      this.parser.bytes.latin1Slice?.(start, end) ??
      Buffer.from(this.parser.bytes.subarray(start, end)).latin1Slice();
    return this.narthex.parseValue(text, out) === undefined;
  }
}

function measure(narthex, name, pages, format, rounds) {
  const results = [];
  for (const kind of ["TypeScript", "WebAssembly"]) {
    const memory = new narthex.ScrapeMemory(
      1,
      kind === "WebAssembly" ? narthex.scrapeKernel(narthex.wasm) : undefined,
    );
    const cache = new narthex.ScrapeCache(memory);
    const sink = new Sink(narthex, memory, cache, format);
    const time = (page) => {
      const start = performance.now();
      sink.read(page);
      return page.length / 1e3 / (performance.now() - start);
    };
    const first = time(pages[0]);
    const steady = [];
    const sums = [];
    for (let round = 0; round < rounds; round++) {
      steady.push(time(pages[(round + 1) % pages.length]));
      sums.push(sink.checksum);
    }
    if (sink.slow > 1) throw new Error(`${sink.slow} lines of a known page went to the full parser`);
    results.push({ kind, first, best: Math.max(...steady), sums, sink, memory });
  }
  const [twin, kernel] = results;
  if (twin.sums.join() !== kernel.sums.join()) throw new Error(`${name}: the scanners differ`);
  const { samples, exemplars } = kernel.sink;
  const megabytes = (pages[0].length / 1e6).toFixed(1);
  const rate = ({ first, best }) => `${best.toFixed(0)} MB/s (first ${first.toFixed(0)})`;
  console.log(
    `${name}: ${megabytes} MB, ${samples} samples, ${exemplars} exemplars: TypeScript ${rate(twin)}, WebAssembly ${rate(kernel)}, × ${(kernel.best / twin.best).toFixed(1)}; cache ${(kernel.memory.usedBytes / samples).toFixed(0)} B/sample`,
  );
  return { name, samples, exemplars, twin: twin.best, kernel: kernel.best };
}

export async function benchScrape(options) {
  const narthex = await load();
  const { bytes, rounds, seed } = options;
  const random = seededRandom(seed);
  const results = [];
  const run = (name, template, openMetrics) => {
    const lines = repeat(template, bytes);
    const pages = [0, 1, 2].map(() => fill(lines, random, openMetrics));
    results.push(measure(narthex, name, pages, openMetrics ? 2 : 1, rounds));
  };
  run("generated, text", generatedTemplate(random, false), false);
  run("generated, OpenMetrics", generatedTemplate(random, true), true);
  const shared = process.env.NARTHEX_SHARED;
  const dir = shared === undefined ? "" : join(shared, "data/exposition");
  if (!existsSync(dir)) {
    console.warn("NARTHEX_SHARED is not set: real exporters' pages are not measured");
    return results;
  }
  for (const file of readdirSync(dir)) {
    run(file, templateOf(readFileSync(join(dir, file), "utf8")), file.includes(".om."));
  }
  return results;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  build();
  await benchScrape(numberOptions(process.argv.slice(2), { bytes: 10_000_000, rounds: 8, seed: 1 }).options);
}
