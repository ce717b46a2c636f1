// `npm run check`: types, lint and format. (`npm test` covers layers and house rules.)
import { spawnSync } from "node:child_process";
import { buildKernels } from "./build.mjs";
import { ensureInstalled, root } from "./ensure-installed.mjs";

ensureInstalled();
buildKernels();
let failed = false;
for (const [what, args] of [
  ["types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]],
  [
    "lint and format",
    ["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "--error-on-warnings", "."],
  ],
]) {
  const ok = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status === 0;
  console.log(`${what}: ${ok ? "ok" : "FAILED"}`);
  failed ||= !ok;
}
process.exit(failed ? 1 : 0);
