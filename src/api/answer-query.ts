/**
 * What a query thread does with a request: everything from the text of the query to the bytes of the answer. Plain
 * synchronous code over the engine and the storage; whatever goes wrong becomes an answer too.
 */
import type { Logger } from "../base/env.ts";
import { CorruptionError, ParseError, QueryError } from "../base/errors.ts";
import { ApiError, failure, notReady } from "./answer.ts";
import { answerExemplars } from "./answer-exemplars.ts";
import { answerPromql } from "./answer-promql.ts";
import { answerSelection } from "./answer-selection.ts";
import type { QueryRunOptions, QuerySources } from "./query-sources.ts";
import type { QueryAnswer, QueryRequest } from "./services.ts";

export function answerQuery(
  sources: QuerySources,
  request: QueryRequest,
  options: QueryRunOptions,
): QueryAnswer {
  try {
    switch (request.kind) {
      case "instant":
      case "range":
        return answerPromql(sources, request, options);
      case "exemplars":
        return answerExemplars(sources.exemplars, request);
      default:
        return answerSelection(sources, request, options);
    }
  } catch (error) {
    return answerToError(error, sources.logger, request);
  }
}

function answerToError(error: unknown, logger: Logger, request: QueryRequest): QueryAnswer {
  if (error instanceof ApiError) return failure(error.type, error.message);
  if (error instanceof ParseError) return failure("bad_data", error.message);
  if (error instanceof QueryError) {
    return error.type === "unavailable" ? notReady(false) : failure(error.type, error.message);
  }
  const { message, stack } = error as Error;
  logger.error("A query failed.", { request, problem: message, stack });
  if (error instanceof CorruptionError) return failure("execution", `expanding series: ${message}`);
  return failure("internal", `unexpected error: ${message}`);
}
