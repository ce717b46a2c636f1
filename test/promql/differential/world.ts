/**
 * An hour of data that has everything in it that PromQL treats specially: counter resets, gaps, staleness markers,
 * NaN, infinities, -0, numbers at the edges of the range, series that begin late or end early, irregular distances,
 * broken histograms, labels that only some series have, one label set under two names.
 */
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { bitsOf, staleBits, type WrittenSeries } from "../../peers/remote-write.ts";
import type { Vocabulary } from "./vocabulary.ts";

export const startMs = Date.UTC(2026, 0, 1, 6, 0, 0);
const intervalMs = 15_000;
const steps = 240;
export const endMs = startMs + steps * intervalMs;

const jobs = ["api", "db", "web"];
const instances = ["0", "1", "2"];
const bounds = ["0.1", "0.5", "1", "5", "+Inf"];

export const vocabulary: Vocabulary = {
  startMs,
  endMs,
  intervalMs,
  metrics: [
    {
      name: "requests_total",
      kind: "counter",
      labels: { job: jobs, instance: instances, code: ["200", "500"] },
    },
    { name: "errors_total", kind: "counter", labels: { job: jobs, instance: instances } },
    { name: "temperature", kind: "gauge", labels: { job: jobs, instance: instances } },
    { name: "level", kind: "gauge", labels: { job: jobs, instance: instances } },
    { name: "special", kind: "gauge", labels: { job: ["api", "db"], case: ["a", "b", "c", "d"] } },
    {
      name: "latency_bucket",
      kind: "buckets",
      labels: { job: jobs, instance: instances, le: bounds },
    },
    { name: "build", kind: "info", labels: { job: jobs, version: ["1", "2"] } },
  ],
};

const specials = [Number.NaN, Infinity, -Infinity, 0, -0, 1e308, -1e308, 5e-324, 1e-300, 2 ** 53, 1.5];

interface Shape {
  readonly next: (previous: number) => number;
  readonly initial: number;
  /** The chance that a sample is missing, and that it is a staleness marker. */
  readonly gaps: number;
  readonly stale: number;
}

export function makeWorld(seed: number): WrittenSeries[] {
  const random = new SeededRandom(seed);
  const uniform = () => random.u32() / 2 ** 32;
  const series: WrittenSeries[] = [];
  const add = (labels: Record<string, string>, shape: Shape) =>
    series.push({ labels, samples: makeSamples(random, shape) });

  const counter = (rate: number): Shape => ({
    initial: uniform() * 1000,
    next: (v) => (uniform() < 0.02 ? uniform() * 3 : v + uniform() * rate),
    gaps: 0.03,
    stale: 0.003,
  });
  for (const job of jobs) {
    for (const instance of instances) {
      for (const code of ["200", "500"]) {
        add({ __name__: "requests_total", job, instance, code }, counter(code === "200" ? 40 : 0.5));
      }
      add({ __name__: "errors_total", job, instance, ...(job === "db" ? { zone: "z" } : {}) }, counter(2));
      const gauge: Shape = {
        initial: 20,
        next: (v) => Math.round((v + uniform() * 4 - 2) * 100) / 100,
        gaps: 0.1,
        stale: 0.01,
      };
      add({ __name__: "temperature", job, instance }, gauge);
      add({ __name__: "level", job, instance }, { ...gauge, next: () => random.below(4), initial: 1 });
      addHistogram(random, add, { job, instance });
    }
    const version = job === "web" ? "2" : "1";
    add({ __name__: "build", job, version }, { initial: 1, next: () => 1, gaps: 0, stale: 0 });
  }
  for (const job of ["api", "db"]) {
    for (const name of ["a", "b", "c", "d"]) {
      add(
        { __name__: "special", job, case: name },
        {
          initial: 1,
          next: () => (uniform() < 0.3 ? random.pick(specials) : uniform() * 10 - 5),
          gaps: 0.2,
          stale: 0.05,
        },
      );
    }
  }
  return series;
}

/** Cumulative buckets; now and then one is too small, and one instance has a bound that is none. */
function addHistogram(
  random: SeededRandom,
  add: (labels: Record<string, string>, shape: Shape) => void,
  labels: { job: string; instance: string },
): void {
  bounds.forEach((le, i) => {
    const broken = labels.job === "web" && labels.instance === "2" && i === 1;
    const speed = (i + 1) * 3;
    add(
      { __name__: "latency_bucket", ...labels, le: broken ? "none" : le },
      {
        initial: (i + 1) * 100,
        next: (v) => v + (random.chance(0.02) ? -5 : speed + random.below(2)),
        gaps: 0.01,
        stale: 0,
      },
    );
  });
}

function makeSamples(random: SeededRandom, shape: Shape): { t: number; bits: bigint }[] {
  const phase = random.below(intervalMs);
  const first = random.chance(0.2) ? random.below(steps / 2) : 0;
  const last = random.chance(0.2) ? steps - random.below(steps / 2) : steps;
  const samples: { t: number; bits: bigint }[] = [];
  let value = shape.initial;
  for (let i = first; i < last; i++) {
    value = shape.next(value);
    if (random.chance(shape.gaps)) continue;
    const t = startMs + i * intervalMs + phase + (random.chance(0.3) ? random.below(5) : 0);
    samples.push({ t, bits: random.chance(shape.stale) ? staleBits : bitsOf(value) });
  }
  return samples;
}
