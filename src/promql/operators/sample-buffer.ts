/** The samples of the series being read; used again for the next one, its memory charged to the query. */
import type { Series } from "../../storage/querier.ts";
import { SampleColumns } from "../../storage/sample-columns.ts";
import type { QueryRun } from "../query-run.ts";
import { histogramsBytes } from "../samples.ts";

const sampleBytes = 16;

export class SampleBuffer {
  readonly samples = new SampleColumns();
  readonly #run: QueryRun;
  #charged = 0;

  constructor(run: QueryRun) {
    this.#run = run;
  }

  /** The samples of `series` with mint <= t <= maxt, staleness markers included. */
  read(series: Series, mint: number, maxt: number): SampleColumns {
    const { samples } = this;
    this.#run.check();
    samples.clear();
    series.read(samples, mint, maxt);
    this.charge();
    return samples;
  }

  /** To be called after the samples were changed by somebody else. */
  charge(): void {
    const { t, histograms } = this.samples;
    const bytes = t.length * sampleBytes + (histograms === undefined ? 0 : histogramsBytes(histograms));
    this.#run.chargeBytes(bytes - this.#charged);
    this.#charged = bytes;
  }

  free(): void {
    this.#run.releaseBytes(this.#charged);
    this.#charged = 0;
  }
}
