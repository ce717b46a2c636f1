/** Blocks with one file broken, as a start repairs them: afterwards all that queries see is sound, and stays so. */
import { silentLogger } from "../../../src/base/env.ts";
import { PageCache } from "../../../src/base/page-cache.ts";
import { noteSuffix } from "../../../src/base/quarantine-note.ts";
import { ManualClock } from "../../../src/testkit/manual-clock.ts";
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { BlockSet } from "../../../src/tsdb/block/block-set.ts";
import { verifyBlock } from "../../../src/tsdb/block/verify.ts";
import { checkBlocks } from "../../../src/tsdb/salvage/check-blocks.ts";
import { check, type FuzzTarget } from "../target.ts";
import {
  type BlockFiles,
  blockPath,
  sealChunks,
  sealIndex,
  sealTombstones,
  smallBlock,
  writeFiles,
} from "./block-files.ts";

const written = smallBlock();
const blockName = blockPath.slice(blockPath.lastIndexOf("/") + 1);
/** Its meta.json names another block: a copy is not to be repaired for that alone. */
const whole: BlockFiles = { ...written, "meta.json": renamed(written["meta.json"]) };

function renamed(meta: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(meta);
  const { ulid } = JSON.parse(text) as { ulid: string };
  return new TextEncoder().encode(text.replaceAll(ulid, blockName));
}

/** Whether the block was sound. */
function salvage(files: BlockFiles): boolean {
  const fs = writeFiles(files);
  const env = { fs, clock: new ManualClock(), random: new SeededRandom(1), logger: silentLogger };
  const repairs = checkBlocks(env, "data", "data/quarantine", { thorough: true });
  const set = BlockSet.open({ fs, cache: new PageCache(1 << 20), logger: silentLogger }, "data");
  check(set.unreadable.size === 0, "a block cannot be read after the repair");
  for (const block of set.blocks) verifyBlock(block);
  set.close();
  for (const { quarantined } of repairs) {
    check(fs.stat(`${quarantined}${noteSuffix}`) !== undefined, "what was set aside has no note");
  }
  const again = checkBlocks(env, "data", "data/quarantine", { thorough: true });
  check(again.length === 0, "what was repaired is still damaged");
  return repairs.length === 0;
}

export const salvageTargets: readonly FuzzTarget[] = [
  {
    name: "salvage-index",
    share: 0.05,
    seeds: () => [whole.index],
    dictionary: ["__name__", "a_total", "instance", "host:1", "\x02"],
    seal: sealIndex,
    run: (index) => salvage({ ...whole, index }),
  },
  {
    name: "salvage-chunks",
    share: 0.05,
    seeds: () => [whole["chunks/000001"]],
    seal: sealChunks,
    run: (bytes) => salvage({ ...whole, "chunks/000001": bytes }),
  },
  {
    name: "salvage-meta-json",
    share: 0.05,
    seeds: () => [whole["meta.json"]],
    run: (bytes) => salvage({ ...whole, "meta.json": bytes }),
  },
  {
    name: "salvage-tombstones",
    share: 0.05,
    seeds: () => [whole.tombstones],
    seal: sealTombstones,
    run: (tombstones) => salvage({ ...whole, tombstones }),
  },
];
