import { describe, expect, test } from "vitest";
import { type LogFields, type Logger, silentLogger } from "../base/env.ts";
import { CorruptionError, ParseError, QueryError } from "../base/errors.ts";
import { Labels } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { Engine } from "../promql/engine.ts";
import type { QueryResult } from "../promql/result.ts";
import type { Querier, QueryContext } from "../storage/querier.ts";
import { answerQuery } from "./answer-query.ts";
import type { QuerySources } from "./query-sources.ts";
import type { QueryRequest } from "./services.ts";

const decoder = new TextDecoder();
const up = Labels.of({ __name__: "up", job: "b" });
const down = Labels.of({ __name__: "down", job: "a<b>" });

const result: QueryResult = {
  value: { type: "vector", t: 1000, labels: [up, down], values: new Float64Array([1, 2]) },
  warnings: [],
  infos: [],
  stats: {
    timings: { evalTotalTime: 0.5, resultSortTime: 1e-7, queryPreparationTime: 0.25, innerEvalTime: 0.125 },
    samples: { totalQueryableSamples: 7, samplesRead: 6, peakSamples: 5 },
  },
};

const instant: QueryRequest = {
  kind: "instant",
  query: "up",
  timeMs: 1000,
  timeoutMs: undefined,
  lookbackMs: 0,
  limit: 0,
  stats: "",
};

/** All series that match every matcher by name and value. */
function querierOf(series: readonly Labels[], onSelect: (context: QueryContext) => void = () => {}): Querier {
  const matching = (matchers: readonly Matcher[]) =>
    series.filter((labels) => matchers.every((matcher) => matcher.matches(labels.get(matcher.name))));
  return {
    select(context, matchers) {
      onSelect(context);
      return matching(matchers).map((labels) => ({ labels, read() {} }));
    },
    labelNames: (_, matchers) => [
      ...new Set(matching(matchers).flatMap((labels) => [...labels.entries()].map(([name]) => name))),
    ],
    labelValues: (_, name, matchers) =>
      [...new Set(matching(matchers).map((labels) => labels.get(name)))].sort(),
    close() {},
  };
}

function ask(
  request: QueryRequest,
  sources: Partial<QuerySources> = {},
  cancelled?: Int32Array,
  queuedMs = 0,
) {
  const answer = answerQuery(
    {
      engine: { instant: () => result, range: () => result } as unknown as Engine,
      queryable: { querier: () => querierOf([up, down]) },
      exemplars: undefined,
      selectionBytesMax: 1000,
      logger: silentLogger,
      ...sources,
    },
    request,
    { queuedMs, cancelled },
  );
  return { ...answer, body: decoder.decode(answer.body) };
}

function failingWith(error: Error): Partial<QuerySources> {
  const fail = () => {
    throw error;
  };
  return { engine: { instant: fail, range: fail } as unknown as Engine };
}

describe("PromQL", () => {
  test("the answer holds warnings, infos and statistics where there are any", () => {
    const engine = {
      instant: () => ({
        ...result,
        warnings: ["w<1>"],
        infos: Array.from({ length: 12 }, (_, i) => `i${i}`),
      }),
    } as unknown as Engine;
    const { body, timings } = ask({ ...instant, stats: "odd", limit: 1 }, { engine }, undefined, 2000);
    expect(body).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"b"},"value":[1,"1"]}],' +
        '"stats":{"timings":{"evalTotalTime":0.5,"resultSortTime":1e-07,"queryPreparationTime":0.25,"innerEvalTime":0.125,"execQueueTime":2,"execTotalTime":0.5},' +
        '"samples":{"totalQueryableSamples":7,"samplesRead":6,"peakSamples":5}}},' +
        '"warnings":["w\\u003c1\\u003e","results truncated due to limit",' +
        '"value \\"odd\\" for parameter \\"stats\\" is deprecated and will be rejected in the next major release, use \\"true\\" or \\"all\\""],' +
        '"infos":["i0","i1","i2","i3","i4","i5","i6","i7","i8","i9","2 more info annotations omitted"]}',
    );
    expect(timings).toEqual({ queue: 2, prepare: 0.25, innerEval: 0.125, sort: 1e-7, samplesTotal: 7 });
  });

  test.each<[string, Error, number, string]>([
    [
      "a parse error",
      new ParseError("1:1: parse error: x", 0),
      400,
      'bad_data","error":"invalid parameter \\"query\\": 1:1: parse error: x"',
    ],
    [
      "a query of the wrong type",
      new QueryError("bad_data", "wrong"),
      400,
      'bad_data","error":"invalid parameter \\"query\\": wrong"',
    ],
    [
      "a limit",
      new QueryError("execution", "too many samples"),
      422,
      'execution","error":"too many samples"',
    ],
    ["a timeout", new QueryError("timeout", "too slow"), 503, 'timeout","error":"too slow"'],
    ["a client that went away", new QueryError("canceled", "gone"), 499, 'canceled","error":"gone"'],
    [
      "a damaged block",
      new CorruptionError("chunks/000001", 7, "bad"),
      422,
      'execution","error":"expanding series: chunks/000001: bad (at byte 7)"',
    ],
    ["a bug", new TypeError("x is undefined"), 500, 'internal","error":"unexpected error: x is undefined"'],
  ])("%s", (_, error, status, rest) => {
    const answer = ask(instant, failingWith(error));
    expect(answer.status).toBe(status);
    expect(answer.body).toBe(`{"status":"error","errorType":"${rest}}`);
  });

  test("a head that is not there yet is no error of the query", () => {
    const answer = ask(instant, failingWith(new QueryError("unavailable", "replaying")));
    expect([answer.status, answer.body]).toEqual([503, "Service Unavailable"]);
  });

  test("what is damaged or wrong in our code is logged, what the client did is not", () => {
    const logged: LogFields[] = [];
    const logger: Logger = { ...silentLogger, error: (_, fields = {}) => logged.push(fields) };
    for (const error of [new ParseError("x", 0), new QueryError("timeout", "x"), new TypeError("bug")]) {
      ask(instant, { ...failingWith(error), logger });
    }
    expect(logged.map(({ problem }) => problem)).toEqual(["bug"]);
  });

  test("waiting counts towards the request's timeout", () => {
    const seen: (number | undefined)[] = [];
    const engine = {
      instant: (_q: unknown, _t: unknown, _m: unknown, { timeoutMs }: { timeoutMs?: number }) => {
        seen.push(timeoutMs);
        return result;
      },
    } as unknown as Engine;
    expect(ask({ ...instant, timeoutMs: 500 }, { engine }, undefined, 200).status).toBe(200);
    expect(ask({ ...instant, timeoutMs: 500 }, { engine }, undefined, 500)).toMatchObject({
      status: 503,
      body: '{"status":"error","errorType":"timeout","error":"query timed out in query execution"}',
    });
    expect(seen).toEqual([300]);
  });
});

describe("selections", () => {
  const bounds = { startMs: 0, endMs: 1000, limit: 0 };
  const series = (matches: string[], limit = 0): QueryRequest => ({
    kind: "series",
    matches,
    ...bounds,
    limit,
  });

  test("series of one selector come as the storage has them, of several sorted and once", () => {
    expect(ask(series(['{job!=""}'])).body).toBe(
      '{"status":"success","data":[{"__name__":"up","job":"b"},{"__name__":"down","job":"a<b>"}]}',
    );
    expect(ask(series(["up", "down", "up"])).body).toBe(
      '{"status":"success","data":[{"__name__":"down","job":"a<b>"},{"__name__":"up","job":"b"}]}',
    );
  });

  test("labels and values, of one selector or several", () => {
    expect(ask({ kind: "labels", matches: [], ...bounds }).body).toBe(
      '{"status":"success","data":["__name__","job"]}',
    );
    expect(ask({ kind: "labelValues", name: "job", matches: ["up", "down"], ...bounds }).body).toBe(
      '{"status":"success","data":["a\\u003cb\\u003e","b"]}',
    );
  });

  test("a limit cuts the list and says so, unless the list is just as long", () => {
    const warning = ',"warnings":["results truncated due to limit"]';
    expect(ask(series(["up", "down"], 1)).body).toBe(
      `{"status":"success","data":[{"__name__":"down","job":"a<b>"}]${warning}}`,
    );
    expect(ask(series(["up", "down"], 2)).body).not.toContain("warnings");
    expect(ask({ kind: "labels", matches: [], ...bounds, limit: 1 }).body).toBe(
      `{"status":"success","data":["__name__"]${warning}}`,
    );
  });

  test("the querier is closed, also after an error", () => {
    let closed = 0;
    const sources = (onSelect: () => void) => ({
      queryable: { querier: () => ({ ...querierOf([up], onSelect), close: () => closed++ }) },
    });
    ask(
      series(["up"]),
      sources(() => {}),
    );
    ask(
      series(["up"]),
      sources(() => {
        throw new TypeError("bug");
      }),
    );
    expect(closed).toBe(2);
  });

  test("a selection has a memory limit and ends when the client goes away", () => {
    const charging = (bytes: number) => ({
      queryable: { querier: () => querierOf([up], (context) => context.chargeBytes(bytes)) },
    });
    expect(ask(series(["up"]), charging(1000)).status).toBe(200);
    expect(ask(series(["up"]), charging(1001))).toMatchObject({ status: 422 });
    expect(ask(series(["up"]), {}, new Int32Array([1]))).toMatchObject({
      status: 499,
      body: '{"status":"error","errorType":"canceled","error":"context canceled"}',
    });
  });
});

test("exemplars are looked up for every selector of the query", () => {
  const asked: number[] = [];
  const exemplar = {
    labels: Labels.of({ traceID: "<x>" }),
    value: 1e21,
    t: 1600096945479,
    hasTimestamp: true,
  };
  const exemplars = {
    exemplars: (_start: number, _end: number, sets: readonly (readonly Matcher[])[]) => {
      asked.push(sets.length);
      return [{ labels: up, exemplars: [exemplar, { ...exemplar, value: 6, t: 1600096946000 }] }];
    },
  };
  const request: QueryRequest = {
    kind: "exemplars",
    query: "sum(rate(up[5m])) / down",
    startMs: 0,
    endMs: 1,
  };
  expect(ask(request, { exemplars }).body).toBe(
    '{"status":"success","data":[{"seriesLabels":{"__name__":"up","job":"b"},"exemplars":[' +
      '{"labels":{"traceID":"<x>"},"value":"1e+21","timestamp":1600096945.479},' +
      '{"labels":{"traceID":"<x>"},"value":"6","timestamp":1600096946}]}]}',
  );
  expect(asked).toEqual([2]);
  expect(ask({ ...request, query: "1" }, { exemplars })).toMatchObject({ status: 204, body: "" });
});
