/** Which buckets a native histogram has: runs of neighbours, each after a gap. */

export interface Span {
  /** Of the first span: the index of its first bucket; of the others: how many buckets lie between it and the one before. */
  readonly offset: number;
  readonly length: number;
}

export const noSpans: readonly Span[] = [];

/** How many buckets there are. */
export function bucketCount(spans: readonly Span[]): number {
  let count = 0;
  for (const { length } of spans) count += length;
  return count;
}

/** The indices of the buckets, ascending. */
export function bucketIndices(spans: readonly Span[]): Int32Array {
  const indices = new Int32Array(bucketCount(spans));
  let next = 0;
  let n = 0;
  for (const { offset, length } of spans) {
    next += offset;
    for (let i = 0; i < length; i++) indices[n++] = next++;
  }
  return indices;
}

/** As few spans as these buckets, ascending, can be told with. */
export function spansOf(indices: ArrayLike<number>): readonly Span[] {
  const spans: Span[] = [];
  let next = 0;
  for (let i = 0; i < indices.length; ) {
    const first = i;
    while (i + 1 < indices.length && indices[i + 1] === indices[i] + 1) i++;
    spans.push({ offset: indices[first] - next, length: i - first + 1 });
    next = indices[i] + 1;
    i++;
  }
  return spans;
}

export function equalSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ offset, length }, i) => offset === b[i].offset && length === b[i].length)
  );
}
