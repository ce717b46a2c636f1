/**
 * Reads a block through: every series entry, label, postings list and chunk, with their checksums, and holds what was
 * found against meta.json. What passes can be read whole by any query.
 */
import { CorruptionError } from "../../base/errors.ts";
import { joinPath } from "../../base/fs.ts";
import { chunkSamples } from "../../chunkenc/encoding.ts";
import { chunkFields } from "../index/reader.ts";
import { type Block, closeReaders } from "./block.ts";
import { metaFile } from "./meta.ts";

/** Throws a CorruptionError, or the system's error, at the first thing that is wrong. */
export function verifyBlock(block: Block): void {
  const readers = block.readThrough();
  const { index, chunks } = readers;
  try {
    const { meta } = block;
    const found = { numSeries: 0, numChunks: 0, numSamples: 0 };
    const all = index.postings("", "");
    for (const ref of all) {
      const series = index.series(ref, -Infinity, Infinity);
      if (series === undefined) continue;
      found.numSeries++;
      for (let i = 0; i < series.chunks.length; i += chunkFields) {
        const [mint, maxt, chunkRef] = series.chunks.slice(i, i + chunkFields);
        if (mint < meta.minTime || maxt >= meta.maxTime) {
          throw new CorruptionError(
            index.path,
            0,
            `a chunk of ${series.labels} from ${mint} to ${maxt} in a block from ${meta.minTime} to ${meta.maxTime}`,
          );
        }
        const bytes = chunks.chunk(chunkRef);
        found.numChunks++;
        found.numSamples += chunkSamples(bytes[0], bytes, 1, bytes.length);
      }
    }
    for (const name of index.labelNames()) {
      index.forEachValue(name, "", (_value, handle) => {
        index.postingsAt(handle);
        return true;
      });
    }
    for (const [what, count] of Object.entries(found)) {
      const said = meta.stats[what as keyof typeof found];
      if (said !== count) {
        throw new CorruptionError(
          joinPath(block.dir, metaFile),
          0,
          `${what} is ${said}, but the block holds ${count}`,
        );
      }
    }
  } finally {
    closeReaders(readers);
  }
}
