/** Histogram chunks that a real Prometheus wrote: decoded and encoded again they are the same bytes. */
import { expect, test } from "vitest";
import { PageCache } from "../../src/base/page-cache.ts";
import { isHistogramEncoding, sampleCount } from "../../src/chunkenc/encoding.ts";
import { decodeHistograms, HistogramAppender } from "../../src/chunkenc/histogram.ts";
import type { Histogram } from "../../src/model/histogram.ts";
import { histogramProblem } from "../../src/model/validate-histogram.ts";
import { nodeFs } from "../../src/node/fs.ts";
import { Block } from "../../src/tsdb/block/block.ts";
import { isUlid } from "../../src/tsdb/block/ulid.ts";
import { sharedData } from "../peers/find.ts";

const crashed = sharedData("histogram chunks of a real Prometheus", "data/prometheus-3.5.3-crashed");
const headerBytes = 3;

test.skipIf(crashed === undefined)("chunks of blocks come back byte by byte", () => {
  let chunks = 0;
  let samples = 0;
  let stale = 0;
  for (const name of nodeFs.list(crashed as string).filter(isUlid)) {
    const block = Block.open({ fs: nodeFs, cache: new PageCache(1 << 22) }, `${crashed}/${name}`);
    const source = block.chunkSource();
    for (const series of source.series()) {
      for (const { encoding, mint, maxt, bytes } of series.chunks()) {
        if (!isHistogramEncoding(encoding)) continue;
        const decoded: [number, Histogram][] = [];
        decodeHistograms(encoding, bytes, 0, bytes.length, -Infinity, Infinity, (t, one) =>
          decoded.push([t, one]),
        );
        expect([decoded.length, decoded[0][0], decoded.at(-1)?.[0]]).toEqual([
          sampleCount(bytes),
          mint,
          maxt,
        ]);
        let appender = new HistogramAppender(encoding);
        for (const [i, [t, histogram]] of decoded.entries()) {
          if (histogram.isStale) stale++;
          else expect(histogramProblem(histogram)).toBe("");
          if (i === 0) appender.begin(t, histogram);
          else expect(appender.append(t, histogram)).toEqual({ chunk: "same", appender });
          // In the middle the chunk is left and taken up again.
          if (i === decoded.length >> 1) appender = HistogramAppender.resume(encoding, appender.bytes());
        }
        const again = appender.bytes();
        expect(Buffer.from(again).toString("hex", headerBytes)).toBe(
          Buffer.from(bytes).toString("hex", headerBytes),
        );
        chunks++;
        samples += decoded.length;
      }
    }
    source.close();
  }
  console.log(`${chunks} histogram chunks, ${samples} samples, ${stale} stale: the same bytes`);
  expect(chunks).toBeGreaterThan(50);
});
