/**
 * Which series match a set of matchers. As Prometheus's PostingsForMatchers: a matcher that accepts "" also accepts
 * series without the label, so it subtracts those that have a value it refuses; the others intersect. The smallest list
 * comes first, and where few candidates are left their labels are looked at instead of long lists.
 */
import { labelCountMask } from "../../kernels/head-layout.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { QueryContext } from "../../storage/querier.ts";
import type { HeadIndex } from "./head-index.ts";
import { intersect, noRefs, type RefList, subtract } from "./refs.ts";
import { pairIdsOf, selectedRecord } from "./series-table.ts";

/** Looking at one candidate's labels costs about as much as stepping over so many refs of a list. */
const refsPerCandidate = 8;
const candidatesPerCheck = 4096;

interface PairSet {
  readonly pairs: readonly number[];
  readonly size: number;
}

/** The refs of the series that match all matchers, ascending. The reader must be pinned. */
export function selectRefs(
  words: Uint32Array,
  index: HeadIndex,
  context: QueryContext,
  matchers: readonly Matcher[],
): RefList {
  const wanted: PairSet[] = [];
  const unwanted: PairSet[] = [];
  for (const matcher of matchers) {
    context.check();
    if (!matcher.matchesEmpty) {
      const pairs = index.matching(matcher);
      if (pairs.length === 0) return noRefs;
      wanted.push({ pairs, size: index.sizeOf(pairs) });
    } else if (!isTrivial(matcher)) {
      const pairs = index.matching(matcher.inverse());
      if (pairs.length > 0) unwanted.push({ pairs, size: index.sizeOf(pairs) });
    }
  }
  wanted.sort((a, b) => a.size - b.size);
  const base = wanted.length === 0 ? index.all() : index.union(wanted[0].pairs);
  const { refs } = base;
  let { n } = base;
  for (const set of wanted.slice(1)) n = narrow(words, index, context, refs, n, set, true);
  for (const set of unwanted) n = narrow(words, index, context, refs, n, set, false);
  return { refs, n };
}

/** `=~".*"`, which holds for every series. */
function isTrivial(matcher: Matcher): boolean {
  return matcher.type === "=~" && matcher.value === ".*";
}

/** Keeps, in place, the candidates that have one of the pairs, or those that have none; returns how many are left. */
function narrow(
  words: Uint32Array,
  index: HeadIndex,
  context: QueryContext,
  refs: Uint32Array,
  n: number,
  set: PairSet,
  keep: boolean,
): number {
  if (n === 0) return 0;
  if (n * refsPerCandidate < set.size) return filterByLabels(words, context, refs, n, set.pairs, keep);
  if (keep && set.pairs.length === 1) return index.keepWith(refs, n, set.pairs[0]);
  const list = index.union(set.pairs);
  return keep ? intersect(refs, n, list) : subtract(refs, n, list);
}

const ids = new Uint32Array(labelCountMask);

function filterByLabels(
  words: Uint32Array,
  context: QueryContext,
  refs: Uint32Array,
  n: number,
  pairs: readonly number[],
  keep: boolean,
): number {
  const wanted = new Set(pairs);
  const only = pairs.length === 1 ? pairs[0] : 0;
  let kept = 0;
  for (let i = 0; i < n; i++) {
    if (i % candidatesPerCheck === 0) context.check();
    const record = selectedRecord(words, refs[i]);
    if (record === 0) continue;
    const count = pairIdsOf(words, record, ids);
    let has = false;
    for (let k = 0; k < count && !has; k++) has = only === 0 ? wanted.has(ids[k]) : ids[k] === only;
    if (has === keep) refs[kept++] = refs[i];
  }
  return kept;
}
