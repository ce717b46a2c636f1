/**
 * How many samples of a series a reader may see: those of the batches up to the one it reads as of. Why this holds
 * while the writer appends: docs/formats/head-memory.md, section 5.
 */
import { Note, Series } from "../../kernels/head-layout.ts";
import { batchesAfter } from "./epochs.ts";

/** The number of samples since the series was created that batch `asOf` and those before it appended. */
export function visibleSamples(words: Uint32Array, record: number, asOf: number): number {
  const total = Atomics.load(words, record + Series.total);
  const noted = Atomics.load(words, record + Series.noteBatch);
  if (noted === 0 || batchesAfter(noted, asOf) <= 0) return total;
  let visible = Atomics.load(words, record + Series.noteTotal);
  let note = Atomics.load(words, record + Series.olderNotes);
  while (note !== 0 && batchesAfter(words[note + Note.batch], asOf) > 0) {
    visible = words[note + Note.total];
    note = Atomics.load(words, note + Note.older);
  }
  return visible;
}
