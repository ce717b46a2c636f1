/**
 * Sample values as bits.
 *
 * A staleness marker is a *signalling* NaN. It survives in typed arrays and DataViews, but plain arrays, Maps,
 * arithmetic and `postMessage` of a bare number may turn it into an ordinary NaN. So values travel in Float64Arrays,
 * and the marker is recognised by its bits, at the buffer.
 */
const scratch = new Float64Array(1);
const words = new Uint32Array(scratch.buffer);

/** High and low 32 bits of the staleness marker, 0x7ff0000000000002. */
export const staleHigh = 0x7ff00000;
export const staleLow = 0x00000002;

/** High and low 32 bits of the ordinary NaN as Prometheus writes it, 0x7ff8000000000001. */
export const normalNaNHigh = 0x7ff80000;
export const normalNaNLow = 0x00000001;

/** Whether `values[index]` is a staleness marker. Cheap where the value is not NaN at all. */
export function isStale(values: Float64Array, index: number): boolean {
  const value = values[index];
  // biome-ignore lint/suspicious/noSelfCompare: the quickest test for NaN, in the hottest loops
  if (value === value) return false;
  scratch.set(values.subarray(index, index + 1));
  return words[1] === staleHigh && words[0] === staleLow;
}

/** Writes a staleness marker to `values[index]`. */
export function setStale(values: Float64Array, index: number): void {
  words[0] = staleLow;
  words[1] = staleHigh;
  values.set(scratch, index);
}
