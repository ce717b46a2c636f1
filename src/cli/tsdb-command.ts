/**
 * `narthex tsdb verify [dir]` and `narthex tsdb repair [--dry-run] [dir]`: what a start does about damage, without a
 * start. Both take the directory's lock, so that nobody writes meanwhile. `verify` and `repair --dry-run` change nothing.
 *
 * Exit codes: 0 nothing wrong (or all repaired), 1 damage found (or not repairable), 2 a wrong command line, or the
 * directory is in use.
 */
import { existsSync } from "node:fs";
import type { Loss } from "../base/quarantine-note.ts";
import { nodeClock } from "../node/clock.ts";
import { loadCodecs } from "../node/codecs.ts";
import { DirectoryLock } from "../node/directory-lock.ts";
import { nodeFs } from "../node/fs.ts";
import { nodeRandom } from "../node/random.ts";
import { type Finding, findDamage, repairDamage } from "../tsdb/salvage/data-directory.ts";

export const tsdbHelp = `usage: narthex tsdb verify [<dir>]
       narthex tsdb repair [--dry-run] [<dir>]

verify  reads every block, chunk file and write-ahead log of a data directory (default data/)
        through and says what is damaged. Changes nothing.
repair  writes damaged blocks anew with all that is sound in them and takes damaged records out of
        the write-ahead log. What was damaged is kept in <dir>/quarantine/, with a note of what was
        wrong and what is missing. With --dry-run it only says what it would do.

The server must not be running. Exit code: 0 all is sound or was repaired, 1 there is damage,
2 the command line is wrong or the directory is in use.
`;

export async function tsdbCommand(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  const dryRun = rest.includes("--dry-run");
  const dirs = rest.filter((arg) => arg !== "--dry-run");
  if (verb === "--help" || verb === "-h" || rest.includes("--help")) {
    process.stdout.write(tsdbHelp);
    return 0;
  }
  const isKnown = verb === "repair" || (verb === "verify" && !dryRun);
  if (!isKnown || dirs.length > 1 || dirs.some((dir) => dir.startsWith("-"))) {
    process.stderr.write(tsdbHelp);
    return 2;
  }
  const dir = dirs[0] ?? "data/";
  if (!existsSync(dir)) {
    process.stderr.write(`narthex: there is no directory ${dir}\n`);
    return 2;
  }
  let lock: DirectoryLock;
  try {
    lock = new DirectoryLock(dir);
  } catch (error) {
    process.stderr.write(`narthex: ${(error as Error).message}\n`);
    return 2;
  }
  try {
    return await run(dir.replace(/\/+$/, ""), verb === "repair" && !dryRun, dryRun);
  } finally {
    lock.release();
  }
}

async function run(dir: string, repairs: boolean, dryRun: boolean): Promise<number> {
  const env = {
    fs: nodeFs,
    clock: nodeClock,
    random: nodeRandom,
    codecs: await loadCodecs(),
  };
  const progress = new Progress();
  const found = repairs ? repairDamage(env, dir, progress.show) : findDamage(env, dir, progress.show);
  progress.clear();
  for (const one of found) process.stdout.write(describe(one, dryRun));
  const left = found.filter(({ quarantined }) => quarantined === undefined);
  process.stdout.write(`${summary(progress.count, found, repairs)}\n`);
  return left.length > 0 ? 1 : 0;
}

function describe({ path, problems, lost, plan, quarantined, replacedBy }: Finding, dryRun: boolean): string {
  const lines = [path, ...problems.map((problem) => `  wrong:   ${problem}`), ...lost.map(describeLoss)];
  if (dryRun) lines.push(`  would:   ${plan}`);
  if (quarantined !== undefined) {
    lines.push(`  done:    ${plan}`);
    if (replacedBy !== undefined) lines.push(`  now:     ${replacedBy}`);
    lines.push(`  kept in: ${quarantined}`);
  }
  return `${lines.join("\n")}\n`;
}

function describeLoss({ series, mint, maxt, what }: Loss): string {
  const whose = series === "" ? "" : ` of ${series}`;
  const when =
    Number.isFinite(mint) && Number.isFinite(maxt)
      ? ` from ${new Date(mint).toISOString()} to ${new Date(maxt).toISOString()}`
      : "";
  return `  lost:    ${what}${whose}${when}`;
}

function summary(count: number, found: readonly Finding[], repairs: boolean): string {
  if (found.length === 0) return `${count} checked, all sound.`;
  if (repairs) return `${count} checked, ${found.length} damaged and repaired.`;
  return `${count} checked, ${found.length} damaged; nothing was changed. narthex tsdb repair repairs them.`;
}

/** One line that is written over and over; on a terminal only. */
class Progress {
  count = 0;

  readonly show = (path: string, number: number, total: number): void => {
    this.count = total;
    if (!process.stderr.isTTY) return;
    const width = 30;
    const filled = Math.round((width * number) / Math.max(total, 1));
    const bar = `${"#".repeat(filled)}${".".repeat(width - filled)}`;
    process.stderr.write(`\r\x1b[K[${bar}] ${number}/${total} ${path}`);
  };

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}
