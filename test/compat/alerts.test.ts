/** The ready-made alerts are rules that promtool accepts, on metrics that the server has. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findPeer } from "../../bench/servers.mjs";
import { storageFamilies } from "../../src/server/metrics/storage-families.ts";
import { havePeers } from "../peers/find.ts";

const file = join(import.meta.dirname, "../../docs/alerts/narthex.yml");
const peers = havePeers("alerting rules checked by promtool", "promtool");

test.skipIf(!peers)("promtool accepts them", () => {
  const { status, stdout, stderr } = spawnSync(findPeer("promtool") as string, ["check", "rules", file], {
    encoding: "utf8",
  });
  expect(stdout + stderr).toContain("SUCCESS");
  expect(status).toBe(0);
});

test("every metric that they ask for exists", () => {
  const names = new Set(storageFamilies("snappy").map(({ name }) => name));
  const expressions = [
    ...readFileSync(file, "utf8").matchAll(/expr: (?:>-\n)?([\s\S]*?)\n {8}(?:for|labels):/g),
  ];
  expect(expressions.length).toBeGreaterThan(5);
  const asked = expressions.flatMap(([, text]) => text.match(/\b(?:narthex|prometheus)_\w+/g) ?? []);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
  expect(asked.length).toBeGreaterThanOrEqual(expressions.length);
});

test("no family is there twice", () => {
  const names = storageFamilies("snappy").map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
