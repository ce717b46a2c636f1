/** Small texts: durations, sizes, numbers and times, and the parameters of HTTP requests through their handlers. */

import { ApiError, failure } from "../../../src/api/answer.ts";
import { answerQuery } from "../../../src/api/answer-query.ts";
import type { ApiRequest } from "../../../src/api/handler.ts";
import { FormValues } from "../../../src/api/params/form.ts";
import { parseGoBool, parseGoFloat, parseGoInt } from "../../../src/api/params/go-numbers.ts";
import { unescapeName } from "../../../src/api/params/label-name.ts";
import {
  parseDuration as parseApiDuration,
  parseTime,
  toEngineMs,
  toMs,
} from "../../../src/api/params/time.ts";
import type { QuerySources } from "../../../src/api/query-sources.ts";
import { type Route, routesOf } from "../../../src/api/routes.ts";
import type { Answer } from "../../../src/api/services.ts";
import { decodeUtf8 } from "../../../src/base/bytes.ts";
import { type LogFields, silentLogger } from "../../../src/base/env.ts";
import { formatGoDuration, parseGoDuration } from "../../../src/cli/go-duration.ts";
import { checkGlob, glob } from "../../../src/config/glob.ts";
import { formatSize, parseSize } from "../../../src/config/size.ts";
import { formatDuration, parseDuration } from "../../../src/model/duration.ts";
import { parseFloatText } from "../../../src/model/parse-float.ts";
import { fakeServices } from "../../api/fake-services.ts";
import { check, type FuzzTarget, isExpected, texts } from "../target.ts";
import { engine, storage } from "./promql.ts";

/** Whether `action` came to an end; an error with a plain message, meant for the answer, is none. */
function parses(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!isExpected(error) && (error as Error).constructor !== Error && !(error instanceof ApiError))
      throw error;
    return false;
  }
}

/** Each refuses most texts. */
const parsers: readonly ((text: string) => void)[] = [
  (text) => {
    const ms = parseDuration(text);
    check(parseDuration(formatDuration(ms)) === ms, `the duration ${ms} prints as ${formatDuration(ms)}`);
  },
  (text) =>
    check(Number.isFinite(parseGoDuration(text)) && formatGoDuration(parseGoDuration(text)) !== "", text),
  (text) => {
    const bytes = parseSize(text);
    check(parseSize(formatSize(bytes)) === bytes, `the size ${bytes} prints as ${formatSize(bytes)}`);
  },
  (text) => {
    const time = parseTime(text);
    check(Number.isInteger(toMs(time)) && Number.isInteger(toEngineMs(time)), "a time that is not whole");
  },
  (text) => check(BigInt.asIntN(64, parseApiDuration(text)) === parseApiDuration(text), "beyond 64 bits"),
  (text) => void parseGoInt(text),
  (text) => void parseGoInt(text, "ParseInt", 32),
  (text) => void parseGoBool(text),
];

function parseText(bytes: Uint8Array): boolean {
  const text = decodeUtf8(bytes);
  check(
    typeof (parseGoFloat(text) ?? 0) === "number" && typeof (parseFloatText(text) ?? 0) === "number",
    text,
  );
  check(unescapeName(text) !== "" || text === "U__" || text === "", `the name ${text} vanishes`);
  const accepting = parsers.filter((parse) => parses(() => parse(text)));
  const isGlob = parses(() => {
    checkGlob(text);
    glob(noFiles, text);
  });
  return accepting.length > 0 || (isGlob && /[*?[]/.test(text));
}

const noFiles = { stat: () => ({ sizeBytes: 0, isDirectory: true, mtimeMs: 0 }), list: () => ["a", "b.yml"] };

const problems: string[] = [];
/** What a query thread logs as an error is an exception that nobody expected. */
const logger = {
  ...silentLogger,
  error: (message: string, fields: LogFields = {}) =>
    problems.push(`${message} ${fields.problem} ${fields.stack}`),
};

const sources: QuerySources = {
  engine,
  queryable: storage,
  exemplars: undefined,
  selectionBytesMax: 2 ** 24,
  logger,
};
const never = new AbortController().signal;

/** What the query service answered last; its promise is of no use in a synchronous test. */
let answered: Answer | undefined;

const services = fakeServices(
  { readiness: "ready", reloadProblem: "", quits: 0 },
  {
    queries: {
      answer(request) {
        answered = answerQuery(sources, request, { queuedMs: 0, cancelled: undefined });
        return Promise.resolve(answered);
      },
    },
  },
);

const routes: ReadonlyMap<string, Route> = new Map(
  routesOf({
    listenAddress: "0.0.0.0:9090",
    externalUrl: new URL("http://localhost:9090/"),
    build: { prometheusVersion: "3.14.0", narthexVersion: "0", nodeVersion: "" },
    enableLifecycle: false,
  })
    .filter(({ path }) => /\/(query\w*|labels|series|targets|label\/:name\/values)$/.test(path))
    .map((route) => [route.path, route]),
);

/** `/api/v1/query?query=a&time=1`: the handler answers or throws an ApiError, and what it answers is JSON. */
function request(bytes: Uint8Array): boolean {
  const text = decodeUtf8(bytes);
  const question = text.indexOf("?");
  const path = question < 0 ? text : text.slice(0, question);
  const [, name] = /^\/api\/v1\/label\/(.*)\/values$/s.exec(path) ?? [];
  const route = routes.get(name === undefined ? path : "/api/v1/label/:name/values");
  if (route === undefined) return false;
  const form = new FormValues();
  form.appendEncoded(text.slice(path.length + 1));
  answered = undefined;
  problems.length = 0;
  const apiRequest: ApiRequest = {
    form,
    urlValues: form,
    pathParameters: { name },
    header: () => "",
    body: new Uint8Array(0),
    signal: never,
  };
  let result: Answer | Promise<Answer>;
  try {
    result = route.handler(services, apiRequest);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    result = failure(error.type, error.message);
  }
  const answer = result instanceof Promise ? answered : result;
  check(problems.length === 0, problems[0]);
  check(answer !== undefined && answer.status !== 500, `status ${answer?.status}`);
  if (answer.status !== 204) JSON.parse(decodeUtf8(answer.body));
  return answer.status === 200;
}

export const parameterTargets: readonly FuzzTarget[] = [
  {
    name: "durations-and-numbers",
    share: 1,
    seeds: () =>
      texts(
        "1y2w3d4h5m6s7ms",
        "1.5h",
        "512MB",
        "1GiB512KiB",
        "1600000000.123",
        "2026-11-22T07:59:36.814Z",
        "2026-11-22T07:59:36+02:00",
        "-292273086-05-16T16:47:06Z",
        "0x1.8p3",
        "-1e-3",
        "true",
        "a/*.y[a-m]l",
      ),
    dictionary: [
      "ms",
      "y",
      "KiB",
      "+Inf",
      "NaN",
      "_",
      "e",
      "p",
      "-",
      ".",
      "Z",
      "+00:00",
      "[^",
      "\\",
      "U__",
      "_D800_",
    ],
    run: parseText,
  },
  {
    name: "http-parameters",
    share: 1,
    seeds: () =>
      texts(
        "/api/v1/query?query=a&time=1600000000&timeout=1m&limit=5&stats=all&lookback_delta=5m",
        "/api/v1/query_range?query=sum%28rate%28a%5B5m%5D%29%29&start=1599998200&end=1600000000&step=60",
        "/api/v1/query_range?query=b&start=2020-09-13T12:00:00Z&end=2020-09-13T12:26:40Z&step=1m&limit=1",
        "/api/v1/query_exemplars?query=a&start=0&end=1",
        "/api/v1/series?match[]=a&match[]=%7Bb%3D%22c1%22%7D&start=1&end=2",
        "/api/v1/labels?limit=3",
        "/api/v1/label/__name__/values?match[]=a",
        "/api/v1/label/U__a_2e_b/values",
        "/api/v1/targets?state=active&scrapePool=a",
      ),
    dictionary: [
      "&",
      "=",
      ";",
      "%",
      "%ff",
      "%00",
      "+",
      "match[]=",
      "query=",
      "start=",
      "end=",
      "time=",
      "step=",
      "limit=",
      "1e300",
      "-1",
      "NaN",
      "__proto__=",
    ],
    run: request,
  },
];
