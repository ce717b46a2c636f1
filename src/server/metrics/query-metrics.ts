/** `prometheus_engine_*`: what the queries do. A query service around the real one counts and measures. */
import { Counter, Gauge, Histogram, type Registry, Summary } from "prom-client";
import type { QueryService, QueryTimings } from "../../api/services.ts";
import { durationBuckets, summaryWindow } from "./windows.ts";

const slices: readonly [string, keyof QueryTimings][] = [
  ["queue_time", "queue"],
  ["prepare_time", "prepare"],
  ["inner_eval", "innerEval"],
  ["result_sort", "sort"],
];

export function meteredQueries(
  registry: Registry,
  service: QueryService,
  concurrencyMax: number,
): QueryService {
  const registers = [registry];
  const running = new Gauge({
    name: "prometheus_engine_queries",
    help: "Queries that are evaluated or wait for a free thread.",
    registers,
  });
  new Gauge({
    name: "prometheus_engine_queries_concurrent_max",
    help: "The most queries that are evaluated at a time.",
    registers,
  }).set(concurrencyMax);
  const observe = durationMetrics(registry);
  const samples = new Counter({
    name: "prometheus_engine_query_samples_total",
    help: "Samples that queries looked at.",
    registers,
  });
  return {
    async answer(request, signal) {
      const isPromql = request.kind === "instant" || request.kind === "range";
      if (isPromql) running.inc();
      try {
        const answer = await service.answer(request, signal);
        if (answer.timings !== undefined) {
          observe(answer.timings);
          samples.inc(answer.timings.samplesTotal);
        }
        return answer;
      } finally {
        if (isPromql) running.dec();
      }
    },
  };
}

function durationMetrics(registry: Registry): (timings: QueryTimings) => void {
  const summary = new Summary({
    name: "prometheus_engine_query_duration_seconds",
    help: "How long the parts of query evaluation took.",
    labelNames: ["slice"],
    percentiles: [0.5, 0.9, 0.99],
    ...summaryWindow,
    registers: [registry],
  });
  const histogram = new Histogram({
    name: "prometheus_engine_query_duration_histogram_seconds",
    help: "How long the parts of query evaluation took.",
    labelNames: ["slice"],
    buckets: [...durationBuckets],
    registers: [registry],
  });
  return (timings) => {
    for (const [slice, part] of slices) {
      summary.observe({ slice }, timings[part]);
      histogram.observe({ slice }, timings[part]);
    }
  };
}
