/**
 * Series with everything in them that PromQL treats specially and that an orderly workload lacks: counter resets, gaps,
 * staleness markers, NaN, infinities, -0, numbers at the edges of the range, series that come and go, irregular, dense
 * and sparse samples, samples right on the borders of windows, histograms that are broken in every way, metadata that
 * changes or contradicts itself, UTF-8 names, series without a label but the name, one label set under two names.
 */
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { bitsOf, staleBits, type WrittenSeries } from "../../peers/remote-write.ts";

type Labels = Record<string, string>;
type Sample = WrittenSeries["samples"][number];

const specials = [Number.NaN, Infinity, -Infinity, 0, -0, 1e308, -1e308, 5e-324, 1e-300, 2 ** 53, 1.5];

interface Shape {
  readonly next: (previous: number) => number;
  readonly initial: number;
  readonly intervalMs?: number;
  /** All samples at multiples of the interval, where windows begin and end. */
  readonly aligned?: boolean;
  /** The chances that a sample is missing, and that it is a staleness marker. */
  readonly gaps?: number;
  readonly stale?: number;
  /** Present this long, away this long, and so on; a staleness marker at every second end. */
  readonly comesAndGoesMs?: number;
}

export function oddSeries(seed: number, startMs: number, endMs: number): WrittenSeries[] {
  return new OddSeries(new SeededRandom(seed), startMs, endMs).all();
}

class OddSeries {
  readonly #random: SeededRandom;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #series: WrittenSeries[] = [];

  constructor(random: SeededRandom, startMs: number, endMs: number) {
    this.#random = random;
    this.#startMs = startMs;
    this.#endMs = endMs;
  }

  all(): WrittenSeries[] {
    for (const job of ["api", "db"]) {
      for (const instance of ["0", "1", "2"]) this.#target({ job, instance });
      for (const name of ["a", "b", "c", "d"]) this.#special({ job, case: name });
      this.#metadata(job);
    }
    this.#names();
    return this.#series;
  }

  #uniform = () => this.#random.u32() / 2 ** 32;

  #counter(rate: number): Shape {
    const next = (v: number) => (this.#uniform() < 0.02 ? this.#uniform() * 3 : v + this.#uniform() * rate);
    return { initial: this.#uniform() * 1000, next, gaps: 0.03, stale: 0.003 };
  }

  #gauge(): Shape {
    const next = (v: number) => Math.round((v + this.#uniform() * 4 - 2) * 100) / 100;
    return { initial: 1, next, gaps: 0.1, stale: 0.01 };
  }

  /** One label set under several names, with differences in what labels there are besides. */
  #target(target: Labels): void {
    const zone: Labels = target.job === "db" ? { zone: "z" } : {};
    for (const code of ["200", "500"])
      this.#add("odd_requests_total", { ...target, code }, this.#counter(40));
    this.#add("odd_errors_total", { ...target, ...zone }, this.#counter(2));
    this.#add("odd_temperature", target, this.#gauge());
    this.#add("odd_level", target, { ...this.#gauge(), next: () => this.#random.below(4), initial: 1 });
    this.#add("odd_aligned_total", target, { ...this.#counter(10), aligned: true, gaps: 0, stale: 0 });
    this.#add("odd_visitor", target, {
      ...this.#gauge(),
      comesAndGoesMs: 60_000 * (2 + this.#random.below(5)),
    });
    this.#histogram(target);
  }

  #special(labels: Labels): void {
    const next = () => (this.#uniform() < 0.3 ? this.#random.pick(specials) : this.#uniform() * 10 - 5);
    this.#add("odd_special", labels, { initial: 1, next, gaps: 0.2, stale: 0.05 });
  }

  /** Buckets that now and then decrease, and bounds that are none, are missing, or stand there twice. */
  #histogram(target: Labels): void {
    const { job, instance } = target;
    const bounds: Record<string, string[]> = {
      api0: ["-1", "0", "1", "5", "+Inf"],
      api1: ["0.1", "0.5", "1", "5"],
      api2: ["+Inf"],
      db0: ["0.1", "1", "1.0", "5", "+Inf"],
      db1: ["0.1", "none", "1", "5e0", "+Inf"],
      db2: ["-Inf", "-5", "-1", "Inf", "0x10"],
    };
    bounds[job + instance].forEach((le, i) => {
      const next = (v: number) => v + (this.#random.chance(0.02) ? -5 : (i + 1) * 3 + this.#random.below(2));
      this.#add("odd_latency_bucket", { ...target, le }, { initial: (i + 1) * 100, next, gaps: 0.01 });
    });
  }

  /**
   * Info series: one that holds, one whose label changes cleanly, one of which two overlap. No series is without
   * samples for so long that the head forgets it.
   */
  #metadata(job: string): void {
    const constant: Shape = { initial: 1, next: () => 1 };
    this.#add("odd_build_info", { job, version: job === "db" ? "2" : "1" }, constant);
    const half = (this.#startMs + this.#endMs) / 2;
    for (const release of ["old", "new"]) {
      const samples = this.#samples(constant).map(({ t, bits }) => ({
        t,
        bits: t < half === (release === "old") ? bits : staleBits,
      }));
      this.#series.push({ labels: { __name__: "odd_release_info", job, release }, samples });
      const comesAndGoesMs = release === "old" ? 300_000 : undefined;
      this.#add("odd_double_info", { job, release }, { ...constant, comesAndGoesMs });
    }
  }

  #names(): void {
    this.#add("odd.ünïcode", { job: "api", "with.dot": "ä\n\\\"'`<>&" }, this.#gauge());
    this.#add("odd.ünïcode", { job: "db", "with.dot": "ö" }, this.#gauge());
    this.#add("odd:rule:sum", { job: "api" }, this.#gauge());
    this.#add("sum", { by: "without", on: "1" }, this.#gauge());
    this.#add("odd_lonely", {}, this.#gauge());
    this.#add("odd_dense_total", { job: "api", instance: "0" }, { ...this.#counter(1), intervalMs: 1000 });
    this.#add(
      "odd_sparse_total",
      { job: "api", instance: "0" },
      { ...this.#counter(1), intervalMs: 240_000 },
    );
    this.#add("odd_huge_total", { job: "api" }, { initial: 1e307, next: (v) => v * 1.05 });
    this.#add("odd_tiny", { job: "api" }, { initial: 5e-324, next: (v) => v * 1.1 });
    this.#add("odd_exact", { job: "api" }, { initial: 2 ** 53, next: (v) => v + 2 });
  }

  #add(name: string, labels: Labels, shape: Shape): void {
    this.#series.push({ labels: { __name__: name, ...labels }, samples: this.#samples(shape) });
  }

  #samples(shape: Shape): Sample[] {
    const { intervalMs = 15_000, gaps = 0, stale = 0, comesAndGoesMs } = shape;
    const phase = shape.aligned ? 0 : this.#random.below(intervalMs);
    const samples: Sample[] = [];
    let value = shape.initial;
    let wasAway = false;
    for (let t = this.#startMs; t < this.#endMs; t += intervalMs) {
      value = shape.next(value);
      const stretch = comesAndGoesMs === undefined ? 0 : Math.floor((t - this.#startMs) / comesAndGoesMs);
      const isAway = stretch % 2 === 1;
      const isEnd = isAway && !wasAway && stretch % 4 === 1;
      wasAway = isAway;
      if ((isAway && !isEnd) || this.#random.chance(gaps)) continue;
      const jitter = !shape.aligned && this.#random.chance(0.3) ? this.#random.below(5) : 0;
      samples.push({
        t: t + phase + jitter,
        bits: isEnd || this.#random.chance(stale) ? staleBits : bitsOf(value),
      });
    }
    return samples;
  }
}
