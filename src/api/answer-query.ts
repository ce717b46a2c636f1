/**
 * What a query thread does with a request: everything from the text of the query to the bytes of the answer. Plain
 * synchronous code over the engine and the storage; whatever goes wrong becomes an answer too.
 */
import type { Logger } from "../base/env.ts";
import { CorruptionError, ParseError, QueryError } from "../base/errors.ts";
import type { Engine } from "../promql/engine.ts";
import type { Queryable } from "../storage/querier.ts";
import { ApiError, failure, notReady } from "./answer.ts";
import { answerExemplars, type ExemplarSource } from "./answer-exemplars.ts";
import { answerPromql } from "./answer-promql.ts";
import { answerSelection } from "./answer-selection.ts";
import type { QueryAnswer, QueryRequest } from "./services.ts";

export interface QuerySources {
  readonly engine: Engine;
  readonly queryable: Queryable;
  /** undefined where no exemplars are kept. */
  readonly exemplars: ExemplarSource | undefined;
  /** Memory that the answer to a series, labels or label-values request may need while it is collected. */
  readonly selectionBytesMax: number;
  readonly logger: Logger;
}

/** What the query service knows of a request besides its parameters. */
export interface QueryRunOptions {
  /** How long it waited for a free thread. */
  readonly queuedMs: number;
  /** A word of shared memory that becomes other than 0 when the client went away. */
  readonly cancelled: Int32Array | undefined;
}

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
