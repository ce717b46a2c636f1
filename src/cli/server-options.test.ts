import { totalmem } from "node:os";
import { expect, test } from "vitest";
import type { Config } from "../config/config.ts";
import { effectiveFlags } from "./effective-flags.ts";
import { allFlags } from "./flag-table.ts";
import { Flags, parseFlags } from "./flags.ts";
import { serverOptions } from "./server-options.ts";

const optionsOf = (...args: string[]) =>
  serverOptions(
    parseFlags(args, () => {
      throw new Error("no files");
    }).flags,
  );

test("values that Prometheus replaces by its defaults", () => {
  const options = optionsOf(
    "--storage.tsdb.min-block-duration=0s",
    "--storage.tsdb.samples-per-chunk=0",
    "--storage.tsdb.block-reload-interval=10ms",
  );
  expect(options.storage).toMatchObject({
    blockRangeMs: 7_200_000,
    samplesPerChunk: 120,
    walSegmentBytes: 128 * 2 ** 20,
    blockSegmentBytes: 512 * 2 ** 20,
  });
  expect(options.blockReloadIntervalMs).toBe(1000);
});

test("cuts of the head are delayed only with the feature, by a share of the block range", () => {
  const delay = (...args: string[]) => optionsOf(...args).headCutDelayMaxMs;
  const percent = "--storage.tsdb.delayed-compaction.max-percent";
  expect(delay(`${percent}=50`)).toBe(0);
  expect(delay("--enable-feature=delayed-compaction")).toBe(720_000);
  expect(delay("--enable-feature=delayed-compaction", `${percent}=50`)).toBe(3_600_000);
  expect(delay("--enable-feature=delayed-compaction", `${percent}=101`)).toBe(720_000);
});

test("a memory limit in powers of two, divided among the parts, with few threads where it is small", () => {
  const options = optionsOf("--storage.tsdb.memory-limit=512MB");
  expect(options.storage.memoryLimitBytes).toBe(512 * 2 ** 20);
  expect(options.queries.bytesMax).toBeLessThanOrEqual(64 * 2 ** 20);
  expect(options.queries.concurrencyMax).toBe(4);
  const { memoryLimitBytes } = optionsOf().storage;
  expect(memoryLimitBytes).toBeGreaterThanOrEqual(192 * 2 ** 20);
  expect(memoryLimitBytes).toBeLessThan(totalmem());
});

test("what is too small a limit says how much is needed", () => {
  expect(() => optionsOf("--storage.tsdb.memory-limit=100MiB")).toThrow(
    "--storage.tsdb.memory-limit: at least 192MiB are needed, 100MiB given",
  );
});

test("status/flags shows the limit that holds", () => {
  const { flags } = parseFlags(["--storage.tsdb.memory-limit=1GiB512MiB"], () => {
    throw new Error("no files");
  });
  const shown = effectiveFlags(flags, { storage: { tsdb: { retention: {} } } } as Config);
  expect(shown["storage.tsdb.memory-limit"]).toBe("1GiB512MiB");
});

/** Used by main.ts and flags.ts themselves. */
const usedElsewhere = ["agent", "log.format", "log.level"];

test("exactly the flags marked as without effect are not used", () => {
  const used = new Set(usedElsewhere);
  class WatchedFlags extends Flags {
    override list(name: string): readonly string[] {
      used.add(name);
      return super.list(name);
    }
  }
  serverOptions(new WatchedFlags(new Map()));
  const idle = (wanted: boolean) =>
    allFlags
      .filter(({ mode }) => mode !== "agent")
      .filter(({ name, noEffectYet }) => (wanted ? noEffectYet === true : !used.has(name)))
      .map(({ name }) => name);
  expect(idle(false)).toEqual(idle(true));
});
