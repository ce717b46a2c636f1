/**
 * The PromQL engine: parses a query, plans it, evaluates it over one querier. Synchronous, for a thread of its own; it
 * keeps nothing from query to query.
 *
 * Errors: ParseError for what the parser refuses, QueryError with the API's error type for everything else.
 */
import { BugError } from "../base/assert.ts";
import type { Clock } from "../base/env.ts";
import type { Queryable } from "../storage/querier.ts";
import type { QueryResult } from "./result.ts";

export interface EngineOptions {
  readonly clock: Clock;
  /** How far back an instant selector looks for the last sample. */
  readonly lookbackMs: number;
  /** `--query.max-samples` */
  readonly samplesMax: number;
  /** Memory that one query may hold. */
  readonly bytesMax: number;
  /** `--query.timeout` */
  readonly timeoutMs: number;
  /** The step of a subquery over `rangeMs` that names none: the global evaluation interval. */
  readonly noStepSubqueryIntervalMs: (rangeMs: number) => number;
}

export interface QueryOptions {
  /** In place of the engine's. */
  readonly lookbackMs?: number;
  /** Where shorter than the engine's. */
  readonly timeoutMs?: number;
  /** A word of shared memory: the query ends soon after it is not 0 any more. */
  readonly cancelled?: Int32Array;
}

export class Engine {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Evaluates `query` at one time (milliseconds). */
  instant(queryable: Queryable, query: string, t: number, options: QueryOptions = {}): QueryResult {
    throw new BugError(`not there yet ${this.#options} ${queryable} ${query} ${t} ${options}`);
  }

  /** Evaluates `query` at `startMs`, `startMs + stepMs`, … up to and including `endMs`. */
  range(
    queryable: Queryable,
    query: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options: QueryOptions = {},
  ): QueryResult {
    throw new BugError(
      `not there yet ${this.#options} ${queryable} ${query} ${startMs} ${endMs} ${stepMs} ${options}`,
    );
  }
}
