import { expect, test } from "vitest";
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

/** Used by main.ts and flags.ts themselves. */
const usedElsewhere = ["agent", "log.format", "log.level", "narthex.config.file"];

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
