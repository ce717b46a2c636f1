/**
 * The chunk encodings of Prometheus: one byte in front of a chunk's data in every chunk file. The data of each of them
 * starts with the number of samples as a big-endian u16.
 */
export const Encoding = {
  none: 0,
  /** Float samples (xor.ts). */
  xor: 1,
  histogram: 2,
  floatHistogram: 3,
  /** Float samples, optionally with start timestamps. */
  xor2: 4,
  /** Histograms with start timestamps. */
  histogramST: 5,
  floatHistogramST: 6,
} as const;
export type Encoding = (typeof Encoding)[keyof typeof Encoding];

/** By encoding number, as Prometheus prints them. */
const names = [
  "none",
  "XOR",
  "histogram",
  "floathistogram",
  "XOR2",
  "histogramST",
  "floathistogramST",
] as const;

export function encodingName(encoding: number): string {
  return names[encoding] ?? `unknown (${encoding})`;
}

/** Whether a chunk file may hold this encoding (0 stands for "no chunk"). */
export function isChunkEncoding(encoding: number): boolean {
  return encoding >= Encoding.xor && encoding <= Encoding.floatHistogramST;
}

/** Whether the samples are histograms: they count separately in a block's meta.json. */
export function isHistogramEncoding(encoding: number): boolean {
  return encoding !== Encoding.xor && encoding !== Encoding.xor2 && isChunkEncoding(encoding);
}

/** Whether the samples are histograms with float counts. */
export function isFloatHistogramEncoding(encoding: number): boolean {
  return encoding === Encoding.floatHistogram || encoding === Encoding.floatHistogramST;
}

export function histogramEncoding(isFloat: boolean, withStartTimes: boolean): Encoding {
  if (withStartTimes) return isFloat ? Encoding.floatHistogramST : Encoding.histogramST;
  return isFloat ? Encoding.floatHistogram : Encoding.histogram;
}

/** Whether the samples are histograms, each with its start timestamp. */
export function hasStartTimes(encoding: number): boolean {
  return encoding === Encoding.histogramST || encoding === Encoding.floatHistogramST;
}

/**
 * The number of samples in the chunk data `bytes[start, end)`; 0 where there is not even a header. Histograms with start
 * timestamps have their flags in the two high bits: {@link chunkSamples}.
 */
export function sampleCount(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return end - start < 2 ? 0 : (bytes[start] << 8) | bytes[start + 1];
}

/** The same for a chunk of any encoding. */
export function chunkSamples(encoding: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  const count = sampleCount(bytes, start, end);
  return hasStartTimes(encoding) ? count & 0x3fff : count;
}
