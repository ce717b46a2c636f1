/** Scripts in Prometheus's PromQL test language against our engine: our own, and Prometheus's where they are at hand. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/promql/engine.ts";
import { sharedData } from "../peers/find.ts";
import { runScript, type ScriptReport } from "./run-script.ts";
import { skipRule } from "./skips.ts";

const ours = join(import.meta.dirname, "ours");
const upstream = sharedData("Prometheus's PromQL scripts", "promqltest");
const scripts = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".test"));

/** As the engine of Prometheus's own tests. */
const engine = new Engine({
  clock: { nowMs: () => 0, monotonicMs: () => 0, after: () => ({ cancel() {} }) },
  lookbackMs: 5 * 60_000,
  samplesMax: 10_000,
  bytesMax: 1 << 30,
  timeoutMs: 100_000,
  noStepSubqueryIntervalMs: () => 60_000,
});

const total: ScriptReport = { passed: 0, skipped: new Map(), failures: [] };

function add(report: ScriptReport): void {
  total.passed += report.passed;
  for (const [reason, count] of report.skipped) {
    total.skipped.set(reason, (total.skipped.get(reason) ?? 0) + count);
  }
}

describe("our own scripts", () => {
  test.each(scripts(ours))("%s", (name) => {
    const report = runScript(readFileSync(join(ours, name), "utf8"), engine, () => undefined);
    add(report);
    expect(report.failures).toEqual([]);
    expect([...report.skipped]).toEqual([]);
  });
});

describe.skipIf(upstream === undefined)("Prometheus's scripts", () => {
  test.each(upstream === undefined ? [] : scripts(upstream))("%s", (name) => {
    const text = readFileSync(join(upstream as string, name), "utf8");
    const report = runScript(text, engine, skipRule(name));
    add(report);
    expect(report.failures).toEqual([]);
  });
});

afterAll(() => {
  const skipped = [...total.skipped].map(([reason, count]) => `${count} ${reason}`).join(", ");
  console.log(`PromQL scripts: ${total.passed} cases passed; skipped: ${skipped || "none"}`);
});
