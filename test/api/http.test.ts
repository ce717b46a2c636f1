import type { Server } from "node:http";
import { gunzipSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ApiOptions, plainWrapping, routesOf } from "../../src/api/routes.ts";
import type { Services } from "../../src/api/services.ts";
import { silentLogger } from "../../src/base/env.ts";
import { NarthexError, QueryError } from "../../src/base/errors.ts";
import { corsPolicy } from "../../src/server/cors.ts";
import { createHttpApp, type HttpAppOptions } from "../../src/server/http-app.ts";
import { type AskOptions, ask } from "./ask.ts";
import { cases } from "./cases.ts";
import { type FakeState, fakeServices } from "./fake-services.ts";

const apiOptions: ApiOptions = {
  listenAddress: "0.0.0.0:9090",
  externalUrl: new URL("http://example.org:9090/"),
  build: { prometheusVersion: "3.14.0", narthexVersion: "0.1.0", nodeVersion: "v20.19.0" },
  enableLifecycle: true,
};

interface Setup {
  readonly app: Server;
  readonly state: FakeState;
  readonly served: string[];
}

function setUp(
  overrides: Partial<Services> = {},
  options: Partial<HttpAppOptions> = {},
  api: Partial<ApiOptions> = {},
): Setup {
  const state: FakeState = { readiness: "ready", reloadProblem: "", quits: 0 };
  const served: string[] = [];
  const metrics = {
    methods: ["GET"] as const,
    path: "/metrics",
    wrapping: { ...plainWrapping, compressed: true },
    handler: () => ({ status: 200, headers: {}, body: new Uint8Array(0) }),
  };
  const app = createHttpApp({
    services: fakeServices(state, overrides),
    routes: [...routesOf({ ...apiOptions, ...api }), metrics],
    logger: silentLogger,
    observer: { declared() {}, served: (handler, status) => served.push(`${status} ${handler}`) },
    cors: corsPolicy(".*"),
    prefix: "",
    readTimeoutMs: 60_000,
    ...options,
  });
  return { app, state, served };
}

const shared = setUp();

test.each(
  cases.map((row): [string, (typeof cases)[number]] => [`${row.method} ${row.path}`, row]),
)("%s", async (_, { method, path, form, status, body }) => {
  const request: AskOptions = { method, url: path };
  if (form !== undefined) {
    request.headers = { "content-type": "application/x-www-form-urlencoded" };
    request.payload = form;
  }
  const answer = await ask(shared.app, request);
  expect({ status: answer.statusCode, body: answer.body }).toEqual({ status, body });
});

test("a form may also be sent in parts", async () => {
  const form = new FormData();
  form.append("query", "1+1");
  form.append("time", "5");
  const encoded = new Response(form);
  const answer = await ask(shared.app, {
    method: "POST",
    url: "/api/v1/query",
    headers: { "content-type": encoded.headers.get("content-type") ?? "" },
    payload: Buffer.from(await encoded.arrayBuffer()),
  });
  expect(answer.body).toBe('{"status":"success","data":{"resultType":"scalar","result":[5,"2"]}}');
});

test("a malformed Content-Type is no obstacle: the URL's parameters count", async () => {
  const answer = await ask(shared.app, {
    method: "POST",
    url: "/api/v1/query?query=1&time=7",
    headers: { "content-type": "nonsense; =" },
    payload: "query=2",
  });
  expect(answer.body).toBe('{"status":"success","data":{"resultType":"scalar","result":[7,"1"]}}');
});

test("a form that is too large is refused", async () => {
  const answer = await ask(shared.app, {
    method: "POST",
    url: "/api/v1/query",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: `query=${"1".repeat(10 * 1024 * 1024)}`,
  });
  expect([answer.statusCode, answer.body]).toEqual([413, "http: request body too large\n"]);
});

test("answers are compressed where the client asks, with the first encoding that is known", async () => {
  const accepting = (encoding: string) =>
    ask(shared.app, { url: "/api/v1/query?query=1&time=0", headers: { "accept-encoding": encoding } });
  const plain = await accepting("identity");
  const gzipped = await accepting("br, gzip, deflate");
  const deflated = await accepting("deflate,gzip");
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(gzipped.headers["content-encoding"]).toBe("gzip");
  expect(deflated.headers["content-encoding"]).toBe("deflate");
  expect(gunzipSync(gzipped.rawPayload).toString()).toBe(plain.body);
  expect(inflateSync(deflated.rawPayload).toString()).toBe(plain.body);
  expect((await accepting("gzip;q=1")).headers["content-encoding"]).toBeUndefined();
});

test("the API's headers", async () => {
  const { headers } = await ask(shared.app, {
    url: "/api/v1/query?query=1",
    headers: { origin: "http://x.org" },
  });
  expect(headers).toMatchObject({
    "content-type": "application/json",
    vary: "Accept-Encoding, Origin",
    "access-control-allow-origin": "http://x.org",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "Accept, Authorization, Content-Type, Origin",
    "access-control-expose-headers": "Date",
  });
});

test("another origin than --web.cors.origin names is not allowed", async () => {
  const { app } = setUp({}, { cors: corsPolicy("https?://(a|b)\\.org") });
  const allowed = async (origin: string) =>
    (await ask(app, { url: "/api/v1/rules", headers: { origin } })).headers["access-control-allow-origin"];
  expect([await allowed("http://a.org"), await allowed("https://b.org")]).toEqual([
    "http://a.org",
    "https://b.org",
  ]);
  expect([await allowed("http://c.org"), await allowed("http://a.orgx")]).toEqual([undefined, undefined]);
  expect((await ask(app, { url: "/api/v1/rules" })).headers.vary).toEqual("Accept-Encoding, Origin");
});

test.each([
  ["starting", "false"],
  ["stopping", "true"],
] as const)("a server that is %s", async (readiness, stopping) => {
  const { app, state } = setUp();
  state.readiness = readiness;
  const unavailable = await ask(app, { url: "/-/ready" });
  expect([unavailable.statusCode, unavailable.body]).toEqual([503, "Service Unavailable"]);
  expect(unavailable.headers["x-prometheus-stopping"]).toBe(stopping);
  const status = async (url: string) => (await ask(app, { url })).statusCode;
  expect(await status("/-/healthy")).toBe(200);
  expect(await status("/api/v1/status/walreplay")).toBe(200);
  expect(await status("/api/v1/notifications")).toBe(200);
  expect(await status("/api/v1/targets")).toBe(503);
  // While the WAL is replayed the query threads answer from the blocks, or say themselves that they cannot.
  expect(await status("/api/v1/query?query=1")).toBe(readiness === "starting" ? 200 : 503);
});

test("the lifecycle endpoints", async () => {
  const { app, state } = setUp();
  const post = async (url: string) => {
    const { statusCode, body } = await ask(app, { method: "POST", url });
    return [statusCode, body];
  };
  state.reloadProblem = "prometheus.yml:3: global: unknown key";
  expect(await post("/-/reload")).toEqual([
    500,
    "failed to reload config: prometheus.yml:3: global: unknown key\n",
  ]);
  expect(await post("/-/quit")).toEqual([200, "Requesting termination... Goodbye!"]);
  expect(await post("/-/quit")).toEqual([200, "Termination already in progress."]);
});

test("what is not enabled says so", async () => {
  const { app } = setUp({ admin: undefined }, {}, { enableLifecycle: false });
  const post = async (url: string) => {
    const { statusCode, body } = await ask(app, { method: "POST", url });
    return [statusCode, body];
  };
  expect(await post("/-/quit")).toEqual([403, "Lifecycle API is not enabled."]);
  expect(await post("/-/reload")).toEqual([403, "Lifecycle API is not enabled."]);
  expect(await post("/api/v1/write")).toEqual([
    404,
    "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n",
  ]);
  expect(await post("/api/v1/admin/tsdb/snapshot")).toEqual([
    500,
    '{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}',
  ]);
});

test("a snapshot's name, and what prevented one", async () => {
  const post = async (url: string) => (await ask(shared.app, { method: "POST", url })).body;
  expect(await post("/api/v1/admin/tsdb/snapshot")).toBe(
    '{"status":"success","data":{"name":"20261122T075937Z-33dd412325502330"}}',
  );
  expect(await post("/api/v1/admin/tsdb/snapshot?skip_head=1")).toBe(
    '{"status":"error","errorType":"internal","error":"create snapshot: the disk is full"}',
  );
});

test("a route prefix stands before every path", async () => {
  const { app } = setUp({}, { prefix: "/p/q" });
  const get = async (url: string) => {
    const { statusCode, headers } = await ask(app, { url });
    return [statusCode, headers.location];
  };
  expect(await get("/p/q/api/v1/query?query=1")).toEqual([200, undefined]);
  expect(await get("/")).toEqual([302, "/p/q"]);
  expect(await get("/api/v1/query?query=1")).toEqual([404, undefined]);
  expect(await get("/p/q/-/ready")).toEqual([200, undefined]);
  expect(await get("/p/q//-/ready/")).toEqual([301, "/p/q/-/ready"]);
});

test("a written body arrives whole, in memory of its own, whatever its Content-Type", async () => {
  const bodies: { bytes: number; own: boolean; headers: unknown }[] = [];
  const { app } = setUp({
    writes: {
      write: async (body, headers) => {
        bodies.push({ bytes: body.length, own: body.buffer.byteLength < 3 * body.length, headers });
        return {
          status: 204,
          headers: { "x-prometheus-remote-write-samples-written": "0" },
          body: new Uint8Array(0),
        };
      },
    },
  });
  const headers = {
    "content-type": "application/x-protobuf;proto=prometheus.WriteRequest",
    "content-encoding": "snappy",
  };
  const answer = await ask(app, {
    method: "POST",
    url: "/api/v1/write",
    headers,
    payload: Buffer.alloc(1000, 7),
  });
  expect([answer.statusCode, answer.headers["x-prometheus-remote-write-samples-written"]]).toEqual([
    204,
    "0",
  ]);
  expect(bodies).toEqual([
    { bytes: 1000, own: true, headers: { contentType: headers["content-type"], contentEncoding: "snappy" } },
  ]);
});

test("a thread that is being replaced makes 503, a bug 500, and both are JSON", async () => {
  const failWith = async (error: Error) => {
    const { app } = setUp({ queries: { answer: () => Promise.reject(error) } });
    const { statusCode, body } = await ask(app, { url: "/api/v1/query?query=1" });
    return [statusCode, JSON.parse(body).errorType];
  };
  expect(await failWith(new NarthexError("UNAVAILABLE", "try again"))).toEqual([503, "unavailable"]);
  expect(await failWith(new QueryError("unavailable", "all busy"))).toEqual([503, "unavailable"]);
  expect(await failWith(new TypeError("x is undefined"))).toEqual([500, "internal"]);
});

test("requests are counted by route, others not at all", async () => {
  const { app, served } = setUp();
  for (const url of ["/api/v1/query?query=1&time=a", "/api/v1/label/a/values", "/nowhere", "/-/ready"]) {
    await ask(app, { url });
  }
  await ask(app, { method: "OPTIONS", url: "/api/v1/query" });
  await ask(app, { method: "DELETE", url: "/api/v1/query" });
  expect(served).toEqual([
    "400 /api/v1/query",
    "200 /api/v1/label/:name/values",
    "200 /-/ready",
    "204 /api/v1/*path",
  ]);
});

test("whatever the parameters are, the answer is JSON and no failure of ours", async () => {
  const paths = cases.flatMap(({ path }) => (path.startsWith("/api/v1/") ? [path.split("?")[0]] : []));
  const names = [
    "query",
    "time",
    "start",
    "end",
    "step",
    "timeout",
    "limit",
    "match[]",
    "stats",
    "lookback_delta",
  ];
  const values = fc.oneof(
    fc.constantFrom(
      "",
      "1",
      "-1",
      "1e999",
      "NaN",
      "0x1p-3",
      "1_0",
      "5m",
      "up",
      '{a=~"("}',
      "sum(up) by (a)",
      "true",
    ),
    fc.constantFrom("2020-01-01T00:00:00Z", "99999999999999999999", "-9223372036854775808", "1e308", "1h1h"),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  );
  const parameters = fc.array(fc.tuple(fc.constantFrom(...names), values), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), parameters, fc.boolean(), async (path, pairs, posted) => {
      const encoded = new URLSearchParams(pairs).toString();
      const answer = posted
        ? await ask(shared.app, {
            method: "POST",
            url: path,
            headers: { "content-type": "application/x-www-form-urlencoded" },
            payload: encoded,
          })
        : await ask(shared.app, { url: `${path}?${encoded}` });
      expect([200, 204, 400, 404, 405, 422, 503]).toContain(answer.statusCode);
      if (answer.headers["content-type"] === "application/json") JSON.parse(answer.body);
    }),
    { numRuns: 300 },
  );
});

test("status pages escape what HTML would read", async () => {
  expect((await ask(shared.app, { url: "/api/v1/status/config" })).body).toBe(
    '{"status":"success","data":{"yaml":"global:\\n  external_labels:\\n    zone: \\u003ca\\u0026b\\u003e\\n"}}',
  );
  expect(JSON.parse((await ask(shared.app, { url: "/api/v1/status/runtimeinfo" })).body).data).toMatchObject({
    startTime: "2026-11-22T07:59:36.814Z",
    serverTime: "2026-11-22T07:59:38.314Z",
    lastConfigTime: "2026-11-22T07:59:36Z",
    storageRetention: "15d",
  });
  const { version, narthexVersion } = JSON.parse(
    (await ask(shared.app, { url: "/api/v1/status/buildinfo" })).body,
  ).data;
  expect([version, narthexVersion]).toEqual(["3.14.0", "0.1.0"]);
});
