/** Postings: ascending lists of series refs, as Uint32Arrays; and the set operations on them. */

export type Postings = Uint32Array;

export const emptyPostings: Postings = new Uint32Array(0);

/** Lists whose sizes differ by more are intersected by searching instead of stepping. */
const gallopRatio = 16;

/** The refs that are in both. */
export function intersect(a: Postings, b: Postings): Postings {
  if (a.length > b.length) [a, b] = [b, a];
  const out = new Uint32Array(a.length);
  const n = b.length > a.length * gallopRatio ? intersectGalloping(a, b, out) : intersectStepping(a, b, out);
  return out.subarray(0, n);
}

function intersectStepping(a: Postings, b: Postings, out: Postings): number {
  let n = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i];
    const y = b[j];
    if (x === y) {
      out[n++] = x;
      i++;
      j++;
    } else if (x < y) i++;
    else j++;
  }
  return n;
}

function intersectGalloping(few: Postings, many: Postings, out: Postings): number {
  let n = 0;
  let from = 0;
  for (let i = 0; i < few.length && from < many.length; i++) {
    const ref = few[i];
    from = seek(many, ref, from);
    if (many[from] === ref) out[n++] = ref;
  }
  return n;
}

/** The refs of `a` that are not in `b`. */
export function without(a: Postings, b: Postings): Postings {
  if (a.length === 0 || b.length === 0) return a;
  const out = new Uint32Array(a.length);
  const gallop = b.length > a.length * gallopRatio;
  let n = 0;
  let from = 0;
  for (let i = 0; i < a.length; i++) {
    const ref = a[i];
    if (gallop) from = seek(b, ref, from);
    else while (from < b.length && b[from] < ref) from++;
    if (from >= b.length || b[from] !== ref) out[n++] = ref;
  }
  return out.subarray(0, n);
}

/** The first index >= `from` whose ref is >= `ref`: doubling steps, then a binary search. */
function seek(list: Postings, ref: number, from: number): number {
  let step = 1;
  while (from + step < list.length && list[from + step] < ref) step *= 2;
  let low = from + (step >> 1);
  let high = Math.min(from + step, list.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle] < ref) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Above this many refs, and where they are dense enough, a bitmap beats sorting. */
const sortedUnionMax = 4096;

/** The refs that are in any of them. */
export function union(lists: readonly Postings[]): Postings {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length <= 1) return filled[0] ?? emptyPostings;
  const total = filled.reduce((sum, list) => sum + list.length, 0);
  const last = filled.reduce((max, list) => Math.max(max, list[list.length - 1]), 0);
  return total > sortedUnionMax && last / 64 < total
    ? unionByBitmap(filled, last)
    : unionBySorting(filled, total);
}

function unionBySorting(lists: readonly Postings[], total: number): Postings {
  const all = new Uint32Array(total);
  let n = 0;
  for (const list of lists) {
    all.set(list, n);
    n += list.length;
  }
  all.sort();
  let kept = 1;
  for (let i = 1; i < total; i++) if (all[i] !== all[i - 1]) all[kept++] = all[i];
  return all.subarray(0, kept);
}

function unionByBitmap(lists: readonly Postings[], last: number): Postings {
  const bits = new Uint32Array((last >>> 5) + 1);
  let n = 0;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const ref = list[i];
      const bit = 1 << (ref & 31);
      if ((bits[ref >>> 5] & bit) !== 0) continue;
      bits[ref >>> 5] |= bit;
      n++;
    }
  }
  const out = new Uint32Array(n);
  n = 0;
  for (let word = 0; word < bits.length; word++) {
    for (let left = bits[word]; left !== 0; left &= left - 1) {
      out[n++] = word * 32 + 31 - Math.clz32(left & -left);
    }
  }
  return out;
}

/** Whether they have any ref in common. */
export function intersects(a: Postings, b: Postings): boolean {
  if (a.length > b.length) [a, b] = [b, a];
  let from = 0;
  for (let i = 0; i < a.length; i++) {
    from = seek(b, a[i], from);
    if (from >= b.length) return false;
    if (b[from] === a[i]) return true;
  }
  return false;
}
