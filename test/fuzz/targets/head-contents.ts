/** All that a head shows of the series that match, as text; with checks on every sample that comes out of it. */
import type { Matcher } from "../../../src/model/matcher.ts";
import { SampleColumns } from "../../../src/storage/sample-columns.ts";
import type { HeadReader } from "../../../src/tsdb/head/head-reader.ts";
import { hints, noContext } from "../../head/fixture.ts";
import { check } from "../target.ts";

export function readHead(reader: HeadReader, matchers: readonly Matcher[]): string {
  const querier = reader.querier(-Infinity, Infinity);
  const lines: string[] = [];
  const out = new SampleColumns(4);
  try {
    for (const series of querier.select(noContext, matchers, -Infinity, Infinity, hints, false)) {
      out.clear();
      series.read(out, -Infinity, Infinity);
      if (out.n > 0) lines.push(`${series.labels} ${printSamples(out)}`);
    }
  } finally {
    querier.close();
  }
  return lines.sort().join("\n");
}

/** `time:value …`; checks that times are whole and increase. */
export function printSamples({ t, v, n }: SampleColumns): string {
  const samples: string[] = [];
  for (let i = 0; i < n; i++) {
    check(Number.isInteger(t[i]) && (i === 0 || t[i] > t[i - 1]), `time ${t[i]} after ${t[i - 1]}`);
    samples.push(`${t[i]}:${v[i]}`);
  }
  return samples.join(" ");
}
