/** Which names, values and pairs of labels make up an index, by numbers of series: the tables of status/tsdb. */
import { utf8Length } from "../../base/strings.ts";
import { metricName } from "../../model/labels.ts";

export interface NameCount {
  readonly name: string;
  readonly value: number;
}

/** Each table has at most as many rows as asked for, largest first. */
export interface CardinalityTables {
  readonly numLabelPairs: number;
  readonly seriesCountByMetricName: readonly NameCount[];
  readonly labelValueCountByLabelName: readonly NameCount[];
  readonly memoryInBytesByLabelName: readonly NameCount[];
  readonly seriesCountByLabelValuePair: readonly NameCount[];
}

/** What status/tsdb tells of the head or of a block. */
export interface IndexStatus extends CardinalityTables {
  readonly numSeries: number;
  /** Infinity and -Infinity where there is nothing. */
  readonly minTime: number;
  readonly maxTime: number;
}

export class Cardinality {
  readonly #byMetric: NameCount[] = [];
  readonly #byPair: NameCount[] = [];
  readonly #values = new Map<string, { count: number; bytes: number }>();
  #pairs = 0;

  /** A label pair and the number of its series; each pair once. */
  add(name: string, value: string, series: number): void {
    this.#pairs++;
    let values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, (values = { count: 0, bytes: 0 }));
    values.count++;
    // As Prometheus counts: both strings and a length byte for each, in every series.
    values.bytes += (utf8Length(name) + utf8Length(value) + 2) * series;
    this.#byPair.push({ name: `${name}=${value}`, value: series });
    if (name === metricName) this.#byMetric.push({ name: value, value: series });
  }

  tables(limit: number): CardinalityTables {
    const values = [...this.#values];
    return {
      numLabelPairs: this.#pairs,
      seriesCountByMetricName: largest(this.#byMetric, limit),
      labelValueCountByLabelName: largest(
        values.map(([name, { count }]) => ({ name, value: count })),
        limit,
      ),
      memoryInBytesByLabelName: largest(
        values.map(([name, { bytes }]) => ({ name, value: bytes })),
        limit,
      ),
      seriesCountByLabelValuePair: largest(this.#byPair, limit),
    };
  }
}

function largest(rows: NameCount[], limit: number): NameCount[] {
  return rows.sort((a, b) => b.value - a.value).slice(0, limit);
}
