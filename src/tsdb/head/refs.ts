/** Sorted lists of refs: union, intersection, difference. */

/** A list of refs, ascending: the first `n` of an array. */
export interface RefList {
  readonly refs: Uint32Array;
  readonly n: number;
}

export const noRefs: RefList = { refs: new Uint32Array(0), n: 0 };

/** Keeps of refs[0, n) those that are in `other`; in place. Returns how many are left. */
export function intersect(refs: Uint32Array, n: number, other: RefList): number {
  let kept = 0;
  let j = 0;
  for (let i = 0; i < n; i++) {
    const ref = refs[i];
    while (j < other.n && other.refs[j] < ref) j++;
    if (j === other.n) break;
    if (other.refs[j] === ref) refs[kept++] = ref;
  }
  return kept;
}

/** Removes from refs[0, n) those that are in `other`; in place. Returns how many are left. */
export function subtract(refs: Uint32Array, n: number, other: RefList): number {
  let kept = 0;
  let j = 0;
  for (let i = 0; i < n; i++) {
    const ref = refs[i];
    while (j < other.n && other.refs[j] < ref) j++;
    if (j === other.n || other.refs[j] !== ref) refs[kept++] = ref;
  }
  return kept;
}
