// `npm run proof [-- NAME …]`: the proofs of test/proof/ at full size. `npm test` runs them at a small size.
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { root } from "./ensure-installed.mjs";

build();
const names = process.argv.slice(2);
const vitest = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--no-file-parallelism",
  "--testTimeout=7200000",
  "--hookTimeout=600000",
];
const run = spawnSync(
  process.execPath,
  [...vitest, ...(names.length > 0 ? names.map((name) => `test/proof/${name}`) : ["test/proof/"])],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, NARTHEX_PROOF: "full" },
  },
);
process.exit(run.status ?? 1);
