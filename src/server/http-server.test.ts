import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { plainWrapping, type Route } from "../api/routes.ts";
import type { LifecycleService, Readiness, Services } from "../api/services.ts";
import { silentLogger } from "../base/env.ts";
import { nodeClock } from "../node/clock.ts";
import { corsPolicy } from "./cors.ts";
import { createHttpApp } from "./http-app.ts";
import { HttpServer } from "./http-server.ts";

interface Running {
  readonly url: string;
  readonly server: HttpServer;
  readonly state: { readiness: Readiness };
  readonly aborted: Promise<void>;
  readonly served: string[];
  release(): void;
}

const running: Running[] = [];
afterEach(async () => {
  for (const { server, release } of running.splice(0)) {
    release();
    await server.close(100);
  }
});

/** `/hold` answers when it is released, `/echo` with the size of what it got. */
async function start(): Promise<Running> {
  const state: Running["state"] = { readiness: "ready" };
  const lifecycle: LifecycleService = {
    readiness: () => state.readiness,
    reload: async () => {},
    quit: () => false,
  };
  let release = () => {};
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  const ok = (body: string) => ({ status: 200, headers: {}, body: new TextEncoder().encode(body) });
  const hold: Route = {
    methods: ["GET"],
    path: "/hold",
    wrapping: plainWrapping,
    handler: (_, { signal }) => {
      signal.addEventListener("abort", abort);
      return new Promise((resolve) => {
        release = () => resolve(ok("held"));
      });
    },
  };
  const echo: Route = {
    methods: ["POST"],
    path: "/echo",
    wrapping: { ...plainWrapping, rawBody: true },
    handler: (_, { body }) => ok(String(body.length)),
  };
  const served: string[] = [];
  const app = createHttpApp({
    services: { lifecycle } as Services,
    routes: [hold, echo],
    logger: silentLogger,
    observer: { declared() {}, served: (handler, status) => served.push(`${status} ${handler}`) },
    cors: corsPolicy(".*"),
    prefix: "",
    readTimeoutMs: 5000,
  });
  const observer = { accepted() {}, closed() {} };
  const server = await HttpServer.open(
    app,
    { addresses: ["127.0.0.1:0"], connectionsMax: 10, observer },
    nodeClock,
  );
  const url = `http://${server.addresses[0]}`;
  const started = { url, server, state, aborted, served, release: () => release() };
  running.push(started);
  return started;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a client that goes away aborts its request", async () => {
  const { url, aborted } = await start();
  const asked = request(`${url}/hold`, { agent: false });
  asked.on("error", () => {});
  asked.end();
  await pause(50);
  asked.destroy();
  await aborted;
});

test("closing lets a running request end, and its connection with it", async () => {
  const { url, server, state, release } = await start();
  const answer = fetch(`${url}/hold`);
  await pause(50);
  state.readiness = "stopping";
  let closed = false;
  const closing = server.close(10_000).then(() => {
    closed = true;
  });
  await pause(50);
  expect(closed).toBe(false);
  release();
  const { status, headers } = await answer;
  expect([status, headers.get("connection")]).toEqual([200, "close"]);
  await closing;
});

test("closing does not wait for ever", async () => {
  const { url, server } = await start();
  const answer = fetch(`${url}/hold`).then(
    () => "answered",
    () => "cut off",
  );
  await pause(50);
  const begun = performance.now();
  await server.close(100);
  expect(performance.now() - begun).toBeLessThan(2000);
  expect(await answer).toBe("cut off");
});

test("bodies arrive whole, with their length announced or not", async () => {
  const { url } = await start();
  const bytes = new Uint8Array(3_000_000).fill(7);
  const whole = await fetch(`${url}/echo`, { method: "POST", body: bytes });
  expect(await whole.text()).toBe("3000000");
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 100_000) controller.enqueue(bytes.subarray(at, at + 100_000));
      controller.close();
    },
  });
  const chunked = await fetch(`${url}/echo`, { method: "POST", body: stream, duplex: "half" } as RequestInit);
  expect(await chunked.text()).toBe("3000000");
});

test("a body that announces too much is refused before it is read", async () => {
  const { url } = await start();
  const status = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
      socket.write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"),
    );
    socket.once("data", (data) => {
      resolve(data.toString().split("\r\n", 1)[0]);
      socket.destroy();
    });
    socket.on("error", reject);
  });
  expect(status).toBe("HTTP/1.1 413 Payload Too Large");
});

test("a body that breaks off is nobody's error", async () => {
  const { url, served } = await start();
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
    socket.write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"),
  );
  await pause(100);
  socket.destroy();
  await pause(100);
  expect(served).toEqual(["499 /echo"]);
});

test("a URL may be as long as in Prometheus", async () => {
  const { url } = await start();
  const answer = await fetch(`${url}/echo?${"x".repeat(200_000)}`, { method: "POST" });
  expect(await answer.text()).toBe("0");
});
