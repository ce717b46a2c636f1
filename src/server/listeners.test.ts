import { createServer as createHttpServer, request, type Server } from "node:http";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ConfigError } from "../base/errors.ts";
import { Listeners, parseListenAddress } from "./listeners.ts";

const open: { http: Server; listeners: Listeners }[] = [];

interface Counts {
  accepted: number;
  closed: number;
}

async function listen(
  addresses: readonly string[],
  connectionsMax: number,
): Promise<{ listeners: Listeners; counts: Counts; http: Server; release: () => void }> {
  const held: (() => void)[] = [];
  const http = createHttpServer((asked, answer) => {
    if (asked.url === "/hold") held.push(() => answer.end("held"));
    else answer.end("ok");
  });
  const counts = { accepted: 0, closed: 0 };
  const listeners = await Listeners.open(http, addresses, connectionsMax, {
    accepted: () => counts.accepted++,
    closed: () => counts.closed++,
  });
  open.push({ http, listeners });
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  return { listeners, counts, http, release };
}

/** Over a connection of its own, which ends with the answer. */
function get(address: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${address}${path}`, { agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(async () => {
  for (const { http, listeners } of open.splice(0)) {
    listeners.destroy();
    await listeners.stop();
    http.closeAllConnections();
  }
});

test("one HTTP server answers on several addresses", async () => {
  const { listeners } = await listen(["127.0.0.1:0", "localhost:0"], 10);
  expect(listeners.addresses).toHaveLength(2);
  expect(await Promise.all(listeners.addresses.map((address) => get(address, "/")))).toEqual(["ok", "ok"]);
});

test("connections beyond the limit wait for one to close", async () => {
  const { listeners, counts, release } = await listen(["127.0.0.1:0"], 1);
  const [address] = listeners.addresses;
  const first = get(address, "/hold");
  await pause(50);
  let secondAnswered = false;
  const second = get(address, "/").then((text) => {
    secondAnswered = true;
    return text;
  });
  await pause(100);
  expect([secondAnswered, counts.accepted]).toEqual([false, 1]);
  release();
  expect(await first).toBe("held");
  expect(await second).toBe("ok");
  await pause(20);
  expect(counts).toEqual({ accepted: 2, closed: 2 });
});

test("stopping refuses new connections and waits for those that are open", async () => {
  const { listeners, release, http } = await listen(["127.0.0.1:0"], 10);
  const [address] = listeners.addresses;
  const running = get(address, "/hold");
  await pause(50);
  let stopped = false;
  const stopping = listeners.stop().then(() => {
    stopped = true;
  });
  http.closeIdleConnections();
  await expect(get(address, "/")).rejects.toThrow("ECONNREFUSED");
  expect(stopped).toBe(false);
  release();
  expect(await running).toBe("held");
  await stopping;
});

test("a port in use is named, with what to do", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  try {
    await expect(listen([`127.0.0.1:${port}`], 10)).rejects.toThrow(
      `cannot listen on --web.listen-address=127.0.0.1:${port}: another process uses this port`,
    );
  } finally {
    other.close();
  }
});

test("a request that is never finished ends with its connection", async () => {
  const http = createHttpServer({
    connectionsCheckingInterval: 50,
    headersTimeout: 100,
    requestTimeout: 100,
  });
  const listeners = await Listeners.open(http, ["127.0.0.1:0"], 1, { accepted() {}, closed() {} });
  open.push({ http, listeners });
  const asked = request(`http://${listeners.addresses[0]}/`, { method: "POST", agent: false });
  const failed = new Promise<number>((resolve) => {
    asked.on("response", (answer) => resolve(answer.statusCode ?? 0));
    asked.on("error", () => resolve(0));
  });
  asked.write("half a body");
  expect([408, 0]).toContain(await failed);
});

test.each([
  ["0.0.0.0:9090", { host: "0.0.0.0", port: 9090 }],
  [":9090", { host: undefined, port: 9090 }],
  ["[::1]:80", { host: "::1", port: 80 }],
  ["localhost:0", { host: "localhost", port: 0 }],
])("the address %s", (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(["9090", "localhost", "::1:9090", "host:99999", "host:http", ""])("%j is no address", (text) => {
  expect(() => parseListenAddress(text)).toThrow(ConfigError);
});
