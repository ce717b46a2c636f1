/** Instant and range queries, in the query thread: evaluate, encode. */
import { ParseError, QueryError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";
import type { QueryResult } from "../promql/result.ts";
import type { QueryStats } from "../promql/stats.ts";
import { annotations, invalidParameter, jsonAnswer } from "./answer.ts";
import { goJson, wholeNanos } from "./json/go-json.ts";
import { JsonWriter } from "./json/json-writer.ts";
import { writeQueryValue } from "./json/query-result-json.ts";
import type { QueryRunOptions, QuerySources } from "./query-sources.ts";
import type { InstantRequest, QueryAnswer, RangeRequest } from "./services.ts";

type PromqlRequest = InstantRequest | RangeRequest;

export const truncatedWarning = "results truncated due to limit";

/** Throws a QueryError or an ApiError. */
export function answerPromql(
  sources: Pick<QuerySources, "engine" | "queryable">,
  request: PromqlRequest,
  options: QueryRunOptions,
): QueryAnswer {
  const result = evaluate(sources, request, options);
  const { timings, samples } = result.stats;
  return {
    ...jsonAnswer(encodeResult(result, request, options.queuedMs / 1000)),
    timings: {
      queue: options.queuedMs / 1000,
      prepare: timings.queryPreparationTime,
      innerEval: timings.innerEvalTime,
      sort: timings.resultSortTime,
      samplesTotal: samples.totalQueryableSamples,
    },
  };
}

function evaluate(
  { engine, queryable }: Pick<QuerySources, "engine" | "queryable">,
  request: PromqlRequest,
  { queuedMs, cancelled }: QueryRunOptions,
): QueryResult {
  const timeoutMs = request.timeoutMs === undefined ? undefined : request.timeoutMs - queuedMs;
  if (timeoutMs !== undefined && timeoutMs <= 0) {
    throw new QueryError("timeout", "query timed out in query execution");
  }
  const lookbackMs = request.lookbackMs === 0 ? undefined : request.lookbackMs;
  const queryOptions = { lookbackMs, timeoutMs, cancelled };
  try {
    if (request.kind === "instant") {
      return engine.instant(queryable, request.query, request.timeMs, queryOptions);
    }
    const { query, startMs, endMs, stepMs } = request;
    return engine.range(queryable, query, startMs, endMs, stepMs, queryOptions);
  } catch (error) {
    const refused = error instanceof ParseError || (error instanceof QueryError && error.type === "bad_data");
    throw refused ? invalidParameter("query", error.message) : error;
  }
}

/** The whole body: `{"status":"success","data":{…},"warnings":[…],"infos":[…]}`. */
export function encodeResult(
  result: QueryResult,
  request: Pick<PromqlRequest, "limit" | "stats">,
  queueSeconds: number,
): Uint8Array {
  const writer = new JsonWriter();
  writer.raw('{"status":"success","data":');
  const truncated = writeQueryValue(writer, result.value, request.limit);
  if (request.stats !== "") writer.raw(`,"stats":${statsJson(result.stats, queueSeconds)}`);
  writer.raw("}");
  const warnings = [...result.warnings];
  if (truncated) warnings.push(truncatedWarning);
  if (!["", "true", "all"].includes(request.stats)) warnings.push(oddStatsWarning(request.stats));
  writer.raw(`${annotations(warnings, result.infos)}}`);
  return writer.finish();
}

function statsJson({ timings, samples }: QueryStats, queueSeconds: number): string {
  const { totalQueryableSamples, samplesRead, peakSamples } = samples;
  const evalTotalTime = wholeNanos(timings.evalTotalTime);
  return goJson({
    timings: {
      evalTotalTime,
      resultSortTime: wholeNanos(timings.resultSortTime),
      queryPreparationTime: wholeNanos(timings.queryPreparationTime),
      innerEvalTime: wholeNanos(timings.innerEvalTime),
      execQueueTime: wholeNanos(queueSeconds),
      execTotalTime: evalTotalTime,
    },
    samples: { totalQueryableSamples, samplesRead, peakSamples },
  });
}

function oddStatsWarning(stats: string): string {
  return (
    `value ${quote(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, ` +
    'use "true" or "all"'
  );
}
