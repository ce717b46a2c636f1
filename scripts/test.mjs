// `npm test [-- vitest arguments]`: installs, builds, runs every test; the last line counts them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./ensure-installed.mjs";

build();
const dir = mkdtempSync(join(tmpdir(), "narthex-test-"));
const report = join(dir, "report.json");
const vitest = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
];
const run = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
let status = run.status ?? 1;
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numTotalTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  if (numTotalTests === 0) status = 1;
  console.log(
    `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`,
  );
} catch (error) {
  console.error(`no test report was written (${error.message}): the run above ended early`);
  status ||= 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(status);
