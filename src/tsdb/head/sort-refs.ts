/**
 * Sorts series by their labels (compareLabels) without making their labels: the pairs that occur are sorted once, then
 * lists of their ranks are compared.
 */
import { compareUtf8 } from "../../base/strings.ts";
import { labelCountMask } from "../../kernels/head-layout.ts";
import { seriesRecord } from "./memory.ts";
import type { PairStrings } from "./pair-strings.ts";
import type { RefList } from "./refs.ts";
import { pairIdsOf } from "./series-table.ts";

/** The refs in the order of their labels. Series whose record is gone are left out. The reader must be pinned. */
export function sortByLabels(words: Uint32Array, strings: PairStrings, { refs, n }: RefList): RefList {
  const ids = new Uint32Array(labelCountMask);
  const kept = new Uint32Array(n);
  const starts = new Uint32Array(n + 1);
  let all = new Uint32Array(n * 12 + 16);
  let count = 0;
  let used = 0;
  let lastId = 0;
  for (let i = 0; i < n; i++) {
    const record = seriesRecord(words, refs[i]);
    if (record === 0) continue;
    const labels = pairIdsOf(words, record, ids);
    if (used + labels > all.length) {
      const more = new Uint32Array(2 * all.length + labels);
      more.set(all);
      all = more;
    }
    for (let k = 0; k < labels; k++) {
      all[used++] = ids[k];
      if (ids[k] > lastId) lastId = ids[k];
    }
    kept[count++] = refs[i];
    starts[count] = used;
  }
  toRanks(strings, all.subarray(0, used), lastId);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  order.sort((a, b) => compareRanks(all, starts, a, b));
  const sorted = new Uint32Array(count);
  for (let i = 0; i < count; i++) sorted[i] = kept[order[i]];
  return { refs: sorted, n: count };
}

/** Replaces pair ids by their rank among those that occur. */
function toRanks(strings: PairStrings, ids: Uint32Array, lastId: number): void {
  const ranks = new Uint32Array(lastId + 1);
  for (const id of ids) ranks[id] = 1;
  const distinct: number[] = [];
  for (let id = 1; id <= lastId; id++) if (ranks[id] === 1) distinct.push(id);
  distinct.sort(
    (a, b) =>
      compareUtf8(strings.name(a), strings.name(b)) || compareUtf8(strings.value(a), strings.value(b)),
  );
  distinct.forEach((id, rank) => {
    ranks[id] = rank;
  });
  for (let i = 0; i < ids.length; i++) ids[i] = ranks[ids[i]];
}

function compareRanks(ranks: Uint32Array, starts: Uint32Array, a: number, b: number): number {
  let i = starts[a];
  let j = starts[b];
  const aEnd = starts[a + 1];
  const bEnd = starts[b + 1];
  for (; i < aEnd && j < bEnd; i++, j++) if (ranks[i] !== ranks[j]) return ranks[i] - ranks[j];
  return aEnd - i - (bEnd - j);
}
