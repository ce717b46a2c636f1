// What the writer of proof 7 appends, so that readers can tell what they must see.
//
// Batch k is a scrape of group k % groups: all series of the group's generation get one sample at timeOf(k). Every
// `batchesPerGeneration` batches the group's series are replaced by new ones.

export const groups = 12;
export const seriesPerGroup = 40;
export const stepMs = 1000;
/** Of one group. */
export const batchesPerGeneration = 40;
/** Samples older than this many batches are truncated away now and then. */
export const keptBatches = 1500;
export const startMs = 1_700_000_000_000;

export const timeOf = (batch) => startMs + batch * stepMs;
export const generationOf = (batch) => Math.floor(batch / groups / batchesPerGeneration);
/** Whole numbers and fractions, constants and jumps: all paths of the encoding. */
export function sampleOf(batch, series) {
  if (series % 4 === 0) return series;
  if (series % 4 === 1) return batch * (series + 1);
  return Math.sin(batch * 31 + series) * 10 ** (series % 7);
}
