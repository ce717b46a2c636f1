/**
 * Requests to a server without a single sample, and what Prometheus answers, byte for byte. `http.test.ts` asks our
 * server, `differential.test.ts` a real one.
 */
export interface Case {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS";
  readonly path: string;
  readonly status: number;
  readonly body: string;
  /** An `application/x-www-form-urlencoded` body. */
  readonly form?: string;
  /** Why the 3.5.3 at hand answers otherwise: 3.14 changed it, or this server says it better. */
  readonly differs?: string;
}

const json = "/api/v1/";

function badData(path: string, error: string, differs?: string): Case {
  return failing(path, 400, "bad_data", error, differs);
}

function failing(path: string, status: number, errorType: string, error: string, differs?: string): Case {
  const escaped = JSON.stringify(error).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e");
  const body = `{"status":"error","errorType":"${errorType}","error":${escaped}}`;
  return { method: "GET", path: json + path, status, body, differs };
}

function ok(path: string, data: string, differs?: string): Case {
  return {
    method: "GET",
    path: json + path,
    status: 200,
    body: `{"status":"success","data":${data}}`,
    differs,
  };
}

const badTime = (name: string, text: string) =>
  `invalid parameter "${name}": invalid time value for '${name}': cannot parse "${text}" to a valid timestamp`;
const noInput = 'invalid parameter "query": unknown position: parse error: no expression found in input';
const tooManyPoints =
  "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
const badStep =
  'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer';
const noMatcher = "match[] must contain at least one non-empty matcher";
const range = "query_range?query=1&start=1&end=2";

const parameters: Case[] = [
  badData("query?query=1&time=abc", badTime("time", "abc")),
  badData("query?query=1&time=2020-02-30T00:00:00Z", badTime("time", "2020-02-30T00:00:00Z")),
  badData("query?query=1&timeout=abc", 'invalid parameter "timeout": cannot parse "abc" to a valid duration'),
  badData(
    "query?query=1&timeout=1e300",
    'invalid parameter "timeout": cannot parse "1e300" to a valid duration. It overflows int64',
  ),
  badData("query?query=1&limit=a", 'invalid parameter "limit": strconv.Atoi: parsing "a": invalid syntax'),
  badData("query?query=1&limit=-1", 'invalid parameter "limit": limit must be non-negative'),
  badData(
    "query?query=1&limit=99999999999999999999",
    'invalid parameter "limit": strconv.Atoi: parsing "99999999999999999999": value out of range',
  ),
  badData("query?time=x&limit=x", 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'),
  badData(
    "query?query=1&lookback_delta=x",
    'error parsing lookback delta duration: cannot parse "x" to a valid duration',
  ),
  badData("query", noInput),
  badData("query?query=%zz", noInput),
  badData("query?query=1;a=b", noInput),
  badData("query?query=foo(", 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
  badData("query_range", 'invalid parameter "start": cannot parse "" to a valid timestamp'),
  badData("query_range?start=1", 'invalid parameter "end": cannot parse "" to a valid timestamp'),
  badData(
    "query_range?start=2&end=1&step=1",
    'invalid parameter "end": end timestamp must not be before start time',
  ),
  badData(range, 'invalid parameter "step": cannot parse "" to a valid duration'),
  badData(`${range}&step=0`, badStep),
  badData(`${range}&step=-1`, badStep),
  badData(`${range}&step=1e-10`, badStep),
  badData(`${range}&step=1e-9`, tooManyPoints),
  badData("query_range?query=1&start=0&end=11001&step=1", tooManyPoints),
  badData("query_range?query=1&start=0&end=1e12&step=1", tooManyPoints),
  failing(
    "query_range?query=1&start=1&end=1&step=1e-4",
    422,
    "execution",
    "the query resolution step must be at least 1ms",
    "Prometheus divides by zero",
  ),
  badData(
    "query_range?query=up[5m]&start=1&end=2&step=1",
    'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
  ),
  badData("series", "no match[] parameter provided"),
  badData("series?start=1&limit=a", "no match[] parameter provided"),
  badData("series?match[]=%zz", 'error parsing form values: invalid URL escape "%zz"'),
  badData("series?match[]={}", `invalid parameter "match[]": ${noMatcher}`),
  badData('series?match[]={a=~".*"}', `invalid parameter "match[]": ${noMatcher}`),
  badData("series?match[]=foo(", 'invalid parameter "match[]": 1:4: parse error: unexpected "("'),
  badData(
    "series?match[]=up%20offset%205m",
    'invalid parameter "match[]": 1:4: parse error: unexpected <offset>',
  ),
  badData("series?match[]=up&start=x", badTime("start", "x")),
  badData("series?match[]=up&end=x", badTime("end", "x")),
  badData("labels?match[]={}", noMatcher),
  badData("labels?match[]=foo(", '1:4: parse error: unexpected "("'),
  badData("labels?start=x", badTime("start", "x")),
  badData("label/job/values?match[]={}", noMatcher),
  badData("label/job/values?limit=x", 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'),
  badData("query_exemplars", "unknown position: parse error: no expression found in input"),
  badData("query_exemplars?query=up&start=5&end=1", "end timestamp must not be before start timestamp"),
  badData("query_exemplars?query=up&start=x", badTime("start", "x")),
  badData("targets/metadata?limit=a", "limit must be a number"),
  badData(
    "targets/metadata?match_target=foo(",
    'invalid parameter "match_target": 1:4: parse error: unexpected "("',
  ),
  badData("metadata?limit=a", "limit must be a number"),
  badData("metadata?limit_per_metric=a", "limit_per_metric must be a number"),
  badData("status/tsdb?limit=0", "limit must be a positive number"),
  badData("status/tsdb?limit=a", "limit must be a positive number"),
  badData("status/tsdb?limit=10001", "limit must not exceed 10000", "new in 3.9"),
  badData("rules?a=1;b=2", "error parsing form values: invalid semicolon separator in query"),
  badData("rules?type=foo", 'invalid parameter "type": not supported value "foo"'),
  badData("rules?match[]=foo(", '1:4: parse error: unexpected "("'),
  badData(
    "rules?exclude_alerts=x",
    'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax',
  ),
  badData(
    "rules?group_limit=x",
    'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
  ),
  badData("rules?group_limit=0", 'invalid parameter "group_limit": group_limit needs to be greater than 0'),
  badData(
    "rules?group_next_token=a",
    'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
  ),
  badData(
    "rules?group_limit=1&group_next_token=a",
    "invalid parameter \"group_next_token\": invalid group_next_token 'a'. were rule groups changed?",
  ),
];

const answers: Case[] = [
  ok("query?query=1&time=1.0005", '{"resultType":"scalar","result":[1,"1"]}'),
  ok("query?query=1e21&time=-1.5", '{"resultType":"scalar","result":[-1.5,"1000000000000000000000"]}'),
  ok('query?query="<a>"&time=0', '{"resultType":"string","result":[0,"\\u003ca\\u003e"]}'),
  ok(
    "query?query=vector(1e21)&time=1.5",
    '{"resultType":"vector","result":[{"metric":{},"value":[1.500,"1e+21"]}]}',
  ),
  ok("query?query=up&time=0", '{"resultType":"vector","result":[]}'),
  ok("query?query=up[5m]&time=0", '{"resultType":"matrix","result":[]}'),
  ok(
    "query_range?query=-Inf&start=0.5&end=2&step=0.5",
    '{"resultType":"matrix","result":[{"metric":{},"values":[[0.500,"-Inf"],[1,"-Inf"],[1.500,"-Inf"],[2,"-Inf"]]}]}',
  ),
  ok("query_range?query=up&start=1&end=1&step=1m", '{"resultType":"matrix","result":[]}'),
  { method: "GET", path: `${json}query_exemplars?query=1`, status: 204, body: "" },
  ok("query_exemplars?query=up", "[]"),
  ok("series?match[]=up", "[]"),
  ok("series?match[]=up&start=5&end=1", "[]"),
  ok("labels", "[]"),
  ok("label/job/values?match[]=up&match[]=down", "[]"),
  ok("targets", '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}'),
  ok("targets?state=active", '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null}'),
  ok("targets?state=foo", '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null}'),
  ok("scrape_pools", '{"scrapePools":[]}'),
  ok("targets/metadata", "[]"),
  ok("metadata", "{}"),
  ok("notifications", "[]"),
  ok("alerts", '{"alerts":[]}'),
  ok("rules", '{"groups":[]}'),
  ok("alertmanagers", '{"activeAlertmanagers":[],"droppedAlertmanagers":[]}'),
  ok("status/walreplay", '{"min":0,"max":0,"current":0}'),
  ok(
    "status/tsdb",
    '{"headStats":{"numSeries":0,"numLabelPairs":0,"chunkCount":0,"minTime":9223372036854775807,"maxTime":-9223372036854775808},"seriesCountByMetricName":[],"labelValueCountByLabelName":[],"memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]}',
  ),
  {
    ...ok("query?query=1&time=7", '{"resultType":"scalar","result":[7,"2"]}'),
    method: "POST",
    form: "query=2",
  },
  {
    ...ok("query_range", '{"resultType":"matrix","result":[]}'),
    method: "POST",
    form: "query=x&start=1&end=2&step=5",
  },
];

const methods: Case[] = [
  { method: "DELETE", path: `${json}query`, status: 405, body: "Method Not Allowed\n" },
  { method: "POST", path: "/metrics", status: 405, body: "Method Not Allowed\n" },
  { method: "HEAD", path: `${json}query?query=1`, status: 405, body: "" },
  { method: "HEAD", path: "/-/healthy", status: 200, body: "" },
  { method: "HEAD", path: "/-/ready", status: 200, body: "" },
  { method: "OPTIONS", path: `${json}anything/at/all`, status: 204, body: "" },
  { method: "OPTIONS", path: `${json}query`, status: 204, body: "" },
  { method: "OPTIONS", path: "/version", status: 200, body: "" },
  { method: "GET", path: "/-/reload", status: 405, body: "Only POST or PUT requests allowed" },
  { method: "GET", path: "/-/quit", status: 405, body: "Only POST or PUT requests allowed" },
  { method: "GET", path: "/-/healthy", status: 200, body: "Prometheus Server is Healthy.\n" },
  { method: "GET", path: "/-/ready", status: 200, body: "Prometheus Server is Ready.\n" },
  { method: "POST", path: "/-/reload", status: 200, body: "" },
  { method: "GET", path: "/nowhere", status: 404, body: "404 page not found\n" },
  { method: "GET", path: `${json}nowhere`, status: 404, body: "404 page not found\n" },
  {
    method: "GET",
    path: "//metrics?x=1",
    status: 301,
    body: '<a href="/metrics?x=1">Moved Permanently</a>.\n\n',
  },
  { method: "GET", path: "/metrics/", status: 301, body: '<a href="/metrics">Moved Permanently</a>.\n\n' },
  {
    method: "POST",
    path: `${json}admin/tsdb/snapshot?skip_head=x`,
    status: 400,
    body: '{"status":"error","errorType":"bad_data","error":"invalid parameter \\"skip_head\\": unable to parse boolean: strconv.ParseBool: parsing \\"x\\": invalid syntax"}',
  },
];

export const cases: readonly Case[] = [...parameters, ...answers, ...methods];
