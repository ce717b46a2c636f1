// Writes blocks directly, without a server: quicker than ingesting hours of samples.
import { seededRandom } from "../random.mjs";

export const rangeMs = 2 * 3_600_000;
const perChunk = 120;
const dist = (path) => import(new URL(`../../dist/${path}.js`, import.meta.url));

/** {labelSets, writeOne} over what `npm run build` has built. */
export async function blockBuilder() {
  const { writeBlock } = await dist("tsdb/compact/write-block");
  const { XorAppender } = await dist("chunkenc/xor");
  const { Labels, compareLabels } = await dist("model/labels");
  const { nodeFs } = await dist("node/fs");
  const { nodeClock } = await dist("node/clock");
  const { nodeRandom } = await dist("node/random");

  /** Pods with a hundred series each: counters, gauges, float sums, constants. */
  function labelSets(count) {
    const sets = Array.from({ length: count }, (_, i) => {
      const pod = Math.floor(i / 100);
      return Labels.of({
        __name__: `metric_${i % 100}_total`,
        cluster: `c${pod % 3}`,
        container: "app",
        endpoint: "http",
        instance: `10.0.${pod >> 8}.${pod & 255}:8080`,
        job: `job-${pod % 20}`,
        namespace: `ns-${pod % 40}`,
        node: `node-${pod % 50}`,
        pod: `app-${pod}-${(pod * 2654435761).toString(36)}`,
      });
    });
    return sets.sort(compareLabels);
  }

  /** One block of the series: every series moves in its own way. */
  function writeOne(dir, sets, mint, samples) {
    const { uniform } = seededRandom(mint / rangeMs);
    const step = rangeMs / samples;
    const appender = new XorAppender();
    const values = new Float64Array(1);
    function* chunks(kind, jitter) {
      values[0] = Math.floor(uniform() * 1e6);
      for (let from = 0; from < samples; from += perChunk) {
        appender.reset();
        const to = Math.min(from + perChunk, samples);
        for (let i = from; i < to; i++) {
          if (kind === 0) values[0] += Math.floor(uniform() * 20);
          else if (kind === 1) values[0] = Math.round(uniform() * 1e4) / 100;
          else if (kind === 2) values[0] += uniform();
          appender.append(mint + jitter + i * step, values, 0);
        }
        yield {
          encoding: 1,
          mint: mint + jitter + from * step,
          maxt: mint + jitter + (to - 1) * step,
          bytes: appender.bytes(),
        };
      }
    }
    const source = {
      *series() {
        for (const [i, labels] of sets.entries()) yield { labels, chunks: () => chunks(i % 4, i % 1000) };
      },
    };
    const env = { fs: nodeFs, clock: nodeClock, random: nodeRandom };
    return writeBlock(env, dir, source, { mint, maxt: mint + rangeMs });
  }

  return { labelSets, writeOne };
}
