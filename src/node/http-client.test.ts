import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { defaultHttpClientSettings, type HttpClientSettings, type HttpRequest } from "../base/http-client.ts";
import { NodeHttpClients } from "./http-client.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(handler: Handler): Promise<{ server: Server; url: string }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function client(settings: Partial<HttpClientSettings> = {}, env: Record<string, string> = {}) {
  const http = new NodeHttpClients(env).open({ ...defaultHttpClientSettings, ...settings });
  cleanups.push(() => http.close());
  return {
    get: (url: string, request: Partial<HttpRequest> = {}) =>
      http.get({
        url,
        headers: {},
        bodyBytesMax: 0,
        bodyBytesExpected: 0,
        unixSocket: "",
        signal: new AbortController().signal,
        ...request,
      }),
  };
}

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "narthex-http-"));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

const text = (body: Uint8Array) => new TextDecoder().decode(body);

test("headers go out as given and configured, the page comes back", async () => {
  let seen: IncomingMessage | undefined;
  const { url } = await listen((request, response) => {
    seen = request;
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end("up 1\n");
  });
  const file = join(tempDir(), "token");
  writeFileSync(file, " third\n");
  const http = client({ headers: { "X-Many": { values: ["first"], secrets: ["second"], files: [file] } } });
  const answer = await http.get(`${url}/metrics?a=b+c`, { headers: { Accept: "x", "User-Agent": "me" } });
  expect({ ...answer, body: text(answer.body) }).toMatchObject({
    status: 200,
    statusLine: "200 OK",
    contentType: "text/plain; version=0.0.4",
    body: "up 1\n",
  });
  expect(seen?.url).toBe("/metrics?a=b+c");
  expect(seen?.headers).toMatchObject({ accept: "x", "user-agent": "me", "x-many": "first, second, third" });
});

test("gzip is unpacked while it arrives, and a body that grows too long is refused early", async () => {
  const page = Buffer.from("metric 1\n".repeat(200_000));
  const { url } = await listen((_, response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync(page));
  });
  const http = client();
  for (const bodyBytesExpected of [0, 100, page.length]) {
    const { body } = await http.get(url, { bodyBytesExpected });
    expect(Buffer.compare(body, page)).toBe(0);
  }
  expect((await http.get(url, { bodyBytesMax: page.length + 1 })).body.length).toBe(page.length);
  await expect(http.get(url, { bodyBytesMax: page.length })).rejects.toThrow("body size limit exceeded");
});

test.each([
  ["an unpacked stream without end", false],
  ["a gzip stream without end", true],
])("%s ends at the limit, or with the caller's patience", async (_, packed) => {
  const chunk = packed ? gzipSync(Buffer.alloc(1 << 20)) : Buffer.alloc(1 << 16);
  const { url } = await listen((_, response) => {
    if (packed) response.setHeader("content-encoding", "gzip");
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    more();
  });
  await expect(client().get(url, { bodyBytesMax: 1 << 22 })).rejects.toThrow("body size limit exceeded");
});

test("a server that never answers, or never ends, is given up", async () => {
  const { url } = await listen((request, response) => {
    if (request.url === "/slow") response.write("up");
  });
  for (const [path, message] of [
    ["/silent", `Get "${url}/silent": context deadline exceeded`],
    ["/slow", "context deadline exceeded"],
  ]) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("context deadline exceeded")), 50);
    await expect(client().get(url + path, { signal: abort.signal })).rejects.toThrow(message);
  }
});

test("anything but 200 comes back without its body", async () => {
  const { url } = await listen((_, response) => {
    response.writeHead(503, "Not Now");
    response.end("x".repeat(2 ** 20));
  });
  const answer = await client().get(url);
  expect([answer.statusLine, answer.body.length]).toEqual(["503 Not Now", 0]);
});

test("what cannot be reached is said in familiar words", async () => {
  const { server, url } = await listen(() => {});
  await new Promise((resolve) => server.close(resolve));
  const port = new URL(url).port;
  await expect(client().get(`${url}/metrics`)).rejects.toThrow(
    `Get "${url}/metrics": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
  await expect(client().get("http://no-such-host.invalid/x")).rejects.toThrow(/lookup no-such-host\.invalid/);
  await expect(client().get("ftp://h/x")).rejects.toThrow('unsupported protocol scheme "ftp"');
  await expect(client().get("http://[/x")).rejects.toThrow("is not a valid URL");
});

test("a page that breaks off is an error", async () => {
  const { url } = await listen((request, response) => {
    if (request.url === "/gzip") response.setHeader("content-encoding", "gzip");
    else response.setHeader("content-length", "100");
    response.write(request.url === "/gzip" ? gzipSync("up 1\n".repeat(100)).subarray(0, 20) : "half");
    setTimeout(() => (request.url === "/gzip" ? response.end() : response.destroy()), 20);
  });
  await expect(client().get(`${url}/plain`)).rejects.toThrow("unexpected EOF");
  await expect(client().get(`${url}/gzip`)).rejects.toThrow("gzip: unexpected end of file");
});

test("redirects are followed unless switched off, at most ten", async () => {
  const { url } = await listen((request, response) => {
    const step = Number((request.url as string).slice(1));
    if (step === 3) return response.end("there");
    response.writeHead(302, { location: step > 3 ? "/99" : `/${step + 1}` });
    response.end();
  });
  expect(text((await client().get(`${url}/0`)).body)).toBe("there");
  expect((await client({ followRedirects: false }).get(`${url}/0`)).statusLine).toBe("302 Found");
  await expect(client().get(`${url}/50`)).rejects.toThrow(`Get "${url}/99": stopped after 10 redirects`);
});

test("credentials do not follow a redirect to another host, and are not sent again on the way back", async () => {
  const seen: (string | undefined)[] = [];
  const { url } = await listen((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization} ${request.headers.cookie}`);
    const hop: Record<string, string> = {
      "/a": "/b",
      "/b": `http://localhost:${new URL(url).port}/c`,
      "/c": `${url}/d`,
    };
    const location = hop[request.url as string];
    response.writeHead(location === undefined ? 200 : 307, location === undefined ? {} : { location });
    response.end();
  });
  const http = client({
    authorization: { type: "Bearer", credentials: "t", credentialsFile: "" },
    headers: { Cookie: { values: ["c"], secrets: [], files: [] } },
  });
  await http.get(`${url}/a`);
  expect(seen).toEqual([
    "/a Bearer t c",
    "/b Bearer t c",
    "/c undefined undefined",
    "/d undefined undefined",
  ]);
});

test("credentials in files are read for every request", async () => {
  const dir = tempDir();
  const seen: (string | undefined)[] = [];
  const { url } = await listen((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  const passwordFile = join(dir, "password");
  const basicAuth = { username: "me", usernameFile: "", password: "", passwordFile };
  const http = client({ basicAuth });
  for (const password of ["one", "two"]) {
    writeFileSync(passwordFile, `${password}\n`);
    await http.get(url);
  }
  const decoded = seen.map((header) => Buffer.from((header as string).slice(6), "base64").toString());
  expect(decoded).toEqual(["me:one", "me:two"]);
  rmSync(passwordFile);
  await expect(http.get(url)).rejects.toThrow(
    `unable to read basic auth password: unable to read file ${passwordFile}`,
  );
});

test("plain requests go through a proxy with the whole URL, its login, and not for excepted hosts", async () => {
  const seen: unknown[] = [];
  const proxy = await listen((request, response) => {
    seen.push([request.url, request.headers.host, request.headers["proxy-authorization"]]);
    response.end("by proxy");
  });
  const direct = await listen((_, response) => response.end("direct"));
  const proxyUrl = proxy.url.replace("//", "//u:p@");
  const answer = await client({ proxyUrl }).get("http://target.invalid:99/metrics?x=1");
  expect(text(answer.body)).toBe("by proxy");
  expect(seen).toEqual([
    ["http://target.invalid:99/metrics?x=1", "target.invalid:99", `Basic ${btoa("u:p")}`],
  ]);
  const excepting = client({ proxyUrl, noProxy: "127.0.0.0/8" });
  expect(text((await excepting.get(direct.url)).body)).toBe("direct");
});

test("https goes through a tunnel that the proxy is asked for", async () => {
  const asked: unknown[] = [];
  const { server, url } = await listen(() => {});
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    asked.push([request.url, request.headers["x-tunnel"]]);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  const http = client({ proxyUrl: url, proxyConnectHeader: { "X-Tunnel": ["s"] } });
  await expect(http.get("https://target.invalid/metrics")).rejects.toThrow(/403/);
  expect(asked).toEqual([["target.invalid:443", "s"]]);
});

test("a Unix domain socket replaces the host", async () => {
  const path = join(tempDir(), "socket");
  const server = createServer((request, response) => response.end(request.headers.host));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  cleanups.push(() => server.close());
  expect(text((await client().get("http://app:80/metrics", { unixSocket: path })).body)).toBe("app");
  await expect(client().get("http://app/x", { unixSocket: `${path}2` })).rejects.toThrow(
    "connect: no such file or directory",
  );
});

test("an idle connection that the server closed is replaced without an error", async () => {
  let requests = 0;
  const { url } = await listen((request, response) => {
    requests++;
    // The second request meets a connection that ends without an answer.
    if (requests === 2) request.socket.destroy();
    else response.end("ok");
  });
  const http = client();
  expect(text((await http.get(url)).body)).toBe("ok");
  expect(text((await http.get(url)).body)).toBe("ok");
  expect(requests).toBe(3);
  requests = 1;
  await expect(client().get(url)).rejects.toThrow("EOF");
});
