#!/usr/bin/env node
// Times the same PromQL queries against several servers, in turn, and compares the answers with the first one's.
//
//   node bench/query.mjs DIR NAME=URL [NAME=URL …] [--runs 7] [--queries bench/queries.json] [--only TEXT]
//
// DIR is a workload (workload.mjs): its index.json gives the time range. Times are medians of --runs after one warm-up.
import { readFileSync } from "node:fs";
import { textOptions } from "./options.mjs";

const relativeTolerance = 1e-9;

async function ask(server, query, endSeconds) {
  const form = new URLSearchParams({ query: query.expr });
  if (query.kind === "range") {
    form.set("start", endSeconds - query.range);
    form.set("end", endSeconds);
    form.set("step", query.step);
  } else form.set("time", endSeconds);
  if (server.name.startsWith("vm") || server.name.startsWith("victoria")) form.set("nocache", "1");
  const path = query.kind === "range" ? "query_range" : "query";
  const begun = performance.now();
  const response = await fetch(`${server.url}/api/v1/${path}`, { method: "POST", body: form });
  const text = await response.text();
  return { ms: performance.now() - begun, text, status: response.status };
}

/** The answer as Map(labels → samples); undefined for an error. */
function parseAnswer(text) {
  const { status, data } = JSON.parse(text);
  if (status !== "success") return undefined;
  if (data.resultType === "scalar") return new Map([["", [data.result]]]);
  return new Map(
    data.result.map((one) => [JSON.stringify(Object.entries(one.metric).sort()), one.values ?? [one.value]]),
  );
}

const number = (text) => Number(text === "+Inf" ? "Infinity" : text === "-Inf" ? "-Infinity" : text);

function close(a, b) {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= relativeTolerance * Math.max(Math.abs(a), Math.abs(b));
}

/** How many series are missing, extra or different. */
function differences(want, got) {
  if (want === undefined || got === undefined) return Number.NaN;
  let count = 0;
  for (const [labels, samples] of want) {
    const other = got.get(labels);
    const same =
      other?.length === samples.length &&
      samples.every(([t, v], i) => close(t, other[i][0]) && close(number(v), number(other[i][1])));
    if (!same) count++;
  }
  for (const labels of got.keys()) if (!want.has(labels)) count++;
  return count;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Rows [{name, ms: [per server], series, differs: [per server but the first]}] and geometric means of the ratios. */
export async function timeQueries(dir, servers, queries, runs) {
  const index = JSON.parse(readFileSync(`${dir}/index.json`, "utf8"));
  const endSeconds = (index.end - index.interval) / 1000;
  const rows = [];
  for (const query of queries) {
    const times = servers.map(() => []);
    const last = [];
    for (let run = 0; run <= runs; run++) {
      for (const [i, server] of servers.entries()) {
        const answer = await ask(server, query, endSeconds);
        if (run > 0) times[i].push(answer.ms);
        last[i] = answer;
      }
    }
    const answers = last.map((answer) => (answer.status === 200 ? parseAnswer(answer.text) : undefined));
    rows.push({
      name: query.name,
      ms: times.map(median),
      series: answers[0]?.size ?? Number.NaN,
      differs: answers.slice(1).map((answer) => differences(answers[0], answer)),
    });
  }
  const ratios = servers.map((_, i) =>
    Math.exp(rows.reduce((sum, row) => sum + Math.log(row.ms[i] / row.ms[0]), 0) / rows.length),
  );
  return { rows, ratios };
}

export function printQueryTimes(servers, { rows, ratios }) {
  const [first, ...others] = servers.map((server) => server.name);
  const cell = (value, width = 12) => String(value).padEnd(width);
  console.log(
    cell("query", 32) +
      cell(`${first} ms`) +
      others.map((name) => cell(`${name} ms`) + cell(`/${first}`, 14)).join("") +
      "series  differing",
  );
  for (const { name, ms, series, differs } of rows) {
    const rest = ms.slice(1).map((value) => cell(value.toFixed(1)) + cell((value / ms[0]).toFixed(2), 14));
    console.log(
      cell(name, 32) + cell(ms[0].toFixed(1)) + rest.join("") + cell(series, 8) + differs.join(" "),
    );
  }
  console.log(cell("geometric mean of the ratios", 32) + ratios.map((ratio) => ratio.toFixed(3)).join("  "));
}

if (import.meta.filename === process.argv[1]) {
  const defaults = { runs: "7", queries: `${import.meta.dirname}/queries.json`, only: "" };
  const { options, rest } = textOptions(process.argv.slice(2), defaults);
  const [dir, ...targets] = rest;
  if (targets.length === 0)
    throw new Error("usage: node bench/query.mjs DIR NAME=URL [NAME=URL …] [--runs N] [--only TEXT]");
  const servers = targets.map((target) => ({
    name: target.split("=")[0],
    url: target.slice(target.indexOf("=") + 1),
  }));
  const queries = JSON.parse(readFileSync(options.queries, "utf8")).filter((query) =>
    query.name.includes(options.only),
  );
  printQueryTimes(servers, await timeQueries(dir, servers, queries, Number(options.runs)));
}
