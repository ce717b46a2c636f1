/** Deletes samples of the head: tombstones in the WAL, then in the shared memory. */
import { Series } from "../../kernels/head-layout.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import type { TombstoneEntry } from "../record/tombstones.ts";
import { ReaderPin } from "./epochs.ts";
import type { Head } from "./head.ts";
import { HeadIndex } from "./head-index.ts";
import { selectRefs } from "./select.ts";
import { GatheredChunks } from "./series-chunks.ts";
import { selectedRecord, walRefOf } from "./series-table.ts";

/** The writer deletes between batches and has no limits. */
const unlimited: QueryContext = { check() {}, chargeBytes() {}, releaseBytes() {} };

export interface TombstoneLog {
  /** Durable as a batch is when it returns. */
  logTombstones(entries: readonly TombstoneEntry[]): void;
}

/**
 * Deletes what matches all `matchers` within [mint, maxt], both inclusive; returns in how many series. An interval does
 * not reach beyond the samples that the series has now: those that come later are not deleted. `owner` is the
 * writer's in the head's reader slots. No batch may be staged.
 */
export function deleteSamples(
  head: Head,
  log: TombstoneLog,
  owner: number,
  mint: number,
  maxt: number,
  matchers: readonly Matcher[],
): number {
  if (!head.isInitialized) return 0;
  const from = Math.max(mint, head.minTime);
  const to = Math.min(maxt, head.maxTime);
  if (from > to) return 0;
  const stones = stonesOf(head, owner, from, to, matchers);
  if (stones.length === 0) return 0;
  log.logTombstones(stones);
  for (const { ref, mint: first, maxt: last } of stones) head.deleted.add(ref, { mint: first, maxt: last });
  head.deleted.publish();
  head.publish();
  return stones.length;
}

function stonesOf(
  head: Head,
  owner: number,
  mint: number,
  maxt: number,
  matchers: readonly Matcher[],
): (TombstoneEntry & { readonly ref: number })[] {
  const { memory } = head;
  const { words, doubles } = memory;
  const stones: (TombstoneEntry & { readonly ref: number })[] = [];
  const pin = ReaderPin.open(memory, owner);
  try {
    const index = new HeadIndex(memory, head.strings, pin.state);
    const { refs, n } = selectRefs(words, index, unlimited, matchers);
    const chunks = new GatheredChunks(memory);
    for (let i = 0; i < n; i++) {
      const record = selectedRecord(words, refs[i]);
      if (record === 0) continue;
      chunks.clear();
      if (chunks.gather(record, pin.state.batch, -Infinity, Infinity) === 0) continue;
      const first = Math.max(mint, chunks.mints[0]);
      const last = Math.min(maxt, doubles[(record + Series.lastTime) >> 1]);
      if (first <= last)
        stones.push({ ref: refs[i], walRef: walRefOf(words, record), mint: first, maxt: last });
    }
  } finally {
    pin.close();
  }
  return stones;
}
