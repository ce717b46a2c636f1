/** The server as a process: its first line, its end, its configuration, what it says when it cannot start. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../bench/servers.mjs";

const main = resolve(import.meta.dirname, "../../dist/cli/main.js");

interface Started {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<number | null>;
}

function run(...flags: string[]): Started {
  const child = spawn(process.execPath, [main, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout?.on("data", (part) => {
    out += part;
  });
  child.stderr?.on("data", (part) => {
    err += part;
  });
  return {
    child,
    out: () => out,
    err: () => err,
    exit: new Promise((done) => child.on("exit", (code) => done(code))),
  };
}

async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (const begun = performance.now(); !(await condition()); ) {
    if (performance.now() - begun > 20_000) throw new Error(`waited too long: ${what()}`);
    await new Promise((resume) => setTimeout(resume, 25));
  }
}

const status = (url: string, init?: RequestInit) =>
  fetch(url, init).then(
    (answer) => answer.status,
    () => 0,
  );

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "narthex-life-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function configFile(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const flagsFor = (name: string, port: number) => [
  `--config.file=${join(dir, name)}`,
  `--storage.tsdb.path=${join(dir, "data", name)}`,
  `--web.listen-address=127.0.0.1:${port}`,
];

describe("a server that runs", () => {
  const name = "runs.yml";
  let server: Started;
  let url: string;
  let second: number;

  beforeAll(async () => {
    configFile(name, "global: {external_labels: {version: one}}\n");
    const port = await freePort();
    second = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = run(
      ...flagsFor(name, port),
      `--web.listen-address=127.0.0.1:${second}`,
      "--web.enable-lifecycle",
      "--web.page-title=x",
    );
    await until(async () => (await status(`${url}/-/ready`)) === 200, server.err);
  });
  afterAll(() => void server.child.kill("SIGKILL"));

  test("says in one line where it is", () => {
    expect(server.out()).toMatch(
      /^Narthex \d+\.\d+\.\d+ at http:\/\/127\.0\.0\.1:\d+\/ and http:\/\/127\.0\.0\.1:\d+\/, data in \/.*runs\.yml\n$/,
    );
  });

  test("answers on both addresses, and says on its root page what is running", async () => {
    expect(await status(`http://127.0.0.1:${second}/-/healthy`)).toBe(200);
    const page = await (await fetch(url)).text();
    expect(page).toContain("<h1>Narthex");
    expect(page).toContain('<a href="/api/v1/targets">');
    const links = [...page.matchAll(/href="([^"]+)"/g)].map((match) => match[1]);
    expect(await Promise.all(links.map((link) => status(url + link)))).toEqual(links.map(() => 200));
  });

  test("says once which flags do nothing", () => {
    expect(server.err().match(/This flag has no effect yet.*--web.page-title/g)).toHaveLength(1);
  });

  test("a bad configuration changes nothing and says why, by request and by signal", async () => {
    const version = async () =>
      /version: (\w+)/.exec((await (await fetch(`${url}/api/v1/status/config`)).text()) ?? "")?.[1];
    const successful = async () =>
      /^prometheus_config_last_reload_successful (\d)$/m.exec(
        await (await fetch(`${url}/metrics`)).text(),
      )?.[1];
    configFile(name, "global: {external_labels: {version: two}, wrong_key: 1}\n");
    const refused = await fetch(`${url}/-/reload`, { method: "POST" });
    expect([refused.status, await refused.text()]).toEqual([
      500,
      expect.stringMatching(/^failed to reload config: .*runs\.yml:1: .*wrong_key/),
    ]);
    expect([await version(), await successful()]).toEqual(["one", "0"]);
    configFile(name, "global: {external_labels: {version: three}}\n");
    server.child.kill("SIGHUP");
    await until(async () => (await version()) === "three", server.err);
    expect(await successful()).toBe("1");
  });

  test("another server is told that the directory and the port are taken", async () => {
    const port = await freePort();
    const onDirectory = run(...flagsFor(name, port));
    expect(await onDirectory.exit).toBe(1);
    expect(onDirectory.err()).toMatch(
      /is in use: another Prometheus or Narthex holds .*lock.*--storage\.tsdb\.path/,
    );
    const onPort = run(
      `--config.file=${join(dir, name)}`,
      `--storage.tsdb.path=${join(dir, "data", "other")}`,
      `--web.listen-address=127.0.0.1:${second}`,
    );
    expect(await onPort.exit).toBe(1);
    expect(onPort.err()).toContain(
      `--web.listen-address=127.0.0.1:${second}: another process uses this port`,
    );
    expect(existsSync(join(dir, "data", "other", "lock"))).toBe(false);
  });

  test("ends in order when asked to, and unlocks its directory", async () => {
    const lock = join(dir, "data", name, "lock");
    expect(existsSync(lock)).toBe(true);
    const answer = await fetch(`${url}/-/quit`, { method: "POST" });
    expect(await answer.text()).toBe("Requesting termination... Goodbye!");
    expect(await server.exit).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});

test("one SIGTERM that arrives twice, as npm and timeout(1) make it, ends the server in order", async () => {
  configFile("doubled.yml", "global: {}\n");
  const server = run(...flagsFor("doubled.yml", await freePort()));
  await until(() => server.err().includes("ready to receive"), server.err);
  server.child.kill("SIGTERM");
  server.child.kill("SIGTERM");
  await new Promise((resume) => setTimeout(resume, 20));
  server.child.kill("SIGTERM");
  expect(await server.exit).toBe(0);
  expect(existsSync(join(dir, "data", "doubled.yml", "lock"))).toBe(false);
});

test("a second SIGTERM ends the server at once", async () => {
  const port = await freePort();
  configFile("twice.yml", "global: {}\n");
  const server = run(...flagsFor("twice.yml", port));
  await until(async () => (await status(`http://127.0.0.1:${port}/-/ready`)) === 200, server.err);
  // A request that never ends keeps the orderly end waiting.
  const socket = new (await import("node:net")).Socket();
  socket.on("error", () => {});
  socket.connect(port, "127.0.0.1", () =>
    socket.write("POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
  );
  await new Promise((resume) => setTimeout(resume, 200));
  server.child.kill("SIGTERM");
  await until(() => server.err().includes("why=SIGTERM"), server.err);
  await new Promise((resume) => setTimeout(resume, 400));
  const asked = performance.now();
  server.child.kill("SIGTERM");
  expect(await server.exit).toBe(1);
  expect(performance.now() - asked).toBeLessThan(5000);
  socket.destroy();
});

test.concurrent.each<[string, string[], number, RegExp]>([
  [
    "an unknown flag",
    ["--storage.tsdb.pth=x"],
    2,
    /unknown long flag '--storage\.tsdb\.pth'; did you mean --storage\.tsdb\.path\?/,
  ],
  [
    "a missing configuration",
    ["--config.file=/nowhere/prometheus.yml"],
    2,
    /\/nowhere\/prometheus\.yml: there is no such file/,
  ],
  [
    "a data directory that cannot be",
    ["--storage.tsdb.path=/dev/null/data"],
    1,
    /cannot make the data directory \/dev\/null\/data \(--storage\.tsdb\.path\)/,
  ],
  [
    "an external URL that is none",
    ["--web.external-url=example.org"],
    2,
    /--web\.external-url.*is not a URL/,
  ],
  ["a regular expression that is none", ["--web.cors.origin=("], 1, /error parsing regexp/],
])("%s is refused", async (_, flags, code, problem) => {
  configFile("refused.yml", "global: {}\n");
  const own = ["--config.file", "--storage.tsdb.path"].filter(
    (flag) => !flags.some((given) => given.startsWith(flag)),
  );
  const defaults = own.map(
    (flag) => `${flag}=${join(dir, flag === "--config.file" ? "refused.yml" : "refused")}`,
  );
  const server = run(...defaults, "--web.listen-address=127.0.0.1:0", ...flags);
  expect(await server.exit).toBe(code);
  expect(server.err()).toMatch(problem);
  expect(server.err()).not.toMatch(/\n {4}at /);
});

test.concurrent("--help and --version start nothing", async () => {
  const help = run("--help");
  const version = run("--version");
  expect([await help.exit, await version.exit]).toEqual([0, 0]);
  expect(help.out()).toContain("--storage.tsdb.path");
  expect(version.out()).toMatch(/^narthex, version \d/);
});
