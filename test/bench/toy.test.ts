/** The benchmarks run at toy size, so that they cannot rot. Their numbers mean nothing here. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const bench = join(import.meta.dirname, "../../bench");

/** What a benchmark prints; fails where it does not end well. */
function run(script: string, ...args: string[]): string {
  const env = { ...process.env, NARTHEX_PEERS: "", PATH: process.env.PATH };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(bench, script), ...args], {
    encoding: "utf8",
    env,
  });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

test("npm run bench", { timeout: 120_000 }, () => {
  const printed = run("run.mjs", "--series", "200", "--minutes", "2", "--runs", "1", "--seconds", "2");
  expect(printed).toMatch(/^narthex .* 0 $/m); // no sample failed
  expect(printed).toMatch(/geometric mean/);
  expect(printed).toMatch(/narthex +best of three/);
  expect(printed).toMatch(/busyP99/);
});

test("npm run bench:storage", { timeout: 120_000 }, () => {
  const sizes = [
    "--series",
    "200",
    "--minutes",
    "2",
    "--many",
    "600",
    "--many-minutes",
    "2",
    "--storm",
    "1000",
  ];
  const printed = run("storage.mjs", ...sizes, "--runs", "2", "--only", "head");
  expect(printed).toMatch(/^narthex +\d/m);
});

test("latency beside a compaction", { timeout: 120_000 }, () => {
  const sizes = ["--latency-series", "2000", "--latency-requests", "20", "--only", "latency"];
  const printed = run("storage.mjs", ...sizes);
  expect(printed).toMatch(/^ingest +p99 \d.* ms of [1-9]\d* without, \d.* ms of [1-9]\d* with/m);
  expect(printed).toMatch(/^queries +p99 /m);
});

test("the head's kernels", { timeout: 60_000 }, () => {
  expect(run("kernels-head.mjs", "--series", "200", "--rounds", "130")).toMatch(
    /append and commit .* WebAssembly/,
  );
});

test("the scanner of scraped pages", { timeout: 60_000 }, () => {
  expect(run("kernels-scrape.mjs", "--bytes", "20000", "--rounds", "2")).toMatch(/MB\/s/);
});
