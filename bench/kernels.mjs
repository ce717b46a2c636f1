#!/usr/bin/env node
// `npm run bench:kernels`: every kernel benchmark of this folder, one after the other, each in its own process.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const scripts = readdirSync(import.meta.dirname).filter((name) => /^kernels-.+\.mjs$/.test(name));
for (const script of scripts) {
  console.log(`\n## ${script}`);
  const run = spawnSync(process.execPath, [join(import.meta.dirname, script), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
}
