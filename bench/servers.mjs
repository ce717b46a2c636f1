// Starts the servers that the benchmarks and proofs compare: Narthex (dist/), and the peers where they are installed.
// Peers are looked for in the directory $NARTHEX_PEERS, then on the PATH. Everything listens on loopback only.
import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverCommand } from "../scripts/server-command.mjs";

/** The path of an installed peer ("prometheus", "promtool", "victoria-metrics", …); undefined when there is none. */
export function findPeer(program) {
  const dirs = [process.env.NARTHEX_PEERS, ...(process.env.PATH ?? "").split(":")].filter(Boolean);
  return dirs
    .map((dir) => join(dir, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A port that the kernel says is free. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const kinds = {
  narthex: {
    program: () => process.execPath,
    ready: "/-/ready",
    args: (dir, port) => [...serverCommand().slice(1), ...prometheusFlags(dir, port)],
  },
  prometheus: { program: () => findPeer("prometheus"), ready: "/-/ready", args: prometheusFlags },
  victoriametrics: {
    program: () => findPeer("victoria-metrics"),
    ready: "/health",
    args: (dir, port) => [
      `-storageDataPath=${dir}/data`,
      `-httpListenAddr=127.0.0.1:${port}`,
      "-retentionPeriod=10y",
    ],
  },
};

function prometheusFlags(dir, port) {
  return [
    `--config.file=${dir}/prometheus.yml`,
    `--storage.tsdb.path=${dir}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--web.enable-remote-write-receiver",
    "--web.enable-admin-api",
    "--web.enable-lifecycle",
    "--storage.tsdb.retention.time=10y",
  ];
}

const flagName = (flag) => flag.split("=")[0];

/** Whether this kind of server can be started here. */
export const available = (kind) => kinds[kind].program() !== undefined;

/**
 * Starts a server on the data in `dir` (which is kept) and waits until it is ready.
 * `config`: the text of prometheus.yml; `flags`: more command-line flags, in place of the
 * default ones of the same name. Its output goes to `dir/log`.
 *
 * @param {string} kind
 * @param {string} dir
 * @param {{config?: string, flags?: string[], readyTimeoutMs?: number, port?: number, wait?: boolean,
 *   nodeFlags?: string[], env?: Record<string, string>}} [options]
 */
export async function startServer(
  kind,
  dir,
  {
    config = "global: {}\n",
    flags = [],
    readyTimeoutMs = 120_000,
    port = 0,
    wait = true,
    nodeFlags = [],
    env = {},
  } = {},
) {
  const { program, args, ready } = kinds[kind];
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "prometheus.yml"), config);
  port ||= await freePort();
  const log = openSync(join(dir, "log"), "a");
  const given = new Set(flags.map(flagName));
  const defaults = args(dir, port).filter((flag) => !given.has(flagName(flag)));
  const child = spawn(program(), [...nodeFlags, ...defaults, ...flags], {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...env },
  });
  const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal })));
  const end = (signal) => {
    child.kill(signal);
    return exited;
  };
  const server = {
    name: kind,
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    exited,
    /** SIGTERM and wait. */
    stop: () => end("SIGTERM"),
    /** SIGKILL and wait. */
    kill: () => end("SIGKILL"),
    log: () => readFileSync(join(dir, "log"), "utf8"),
  };
  if (!wait) return server;
  let gone;
  exited.then((how) => {
    gone = how;
  });
  for (const begun = performance.now(); ; await sleep(50)) {
    if (gone)
      throw new Error(
        `${kind} ended (${JSON.stringify(gone)}) before it was ready:\n${server.log().slice(-4000)}`,
      );
    const status = await fetch(server.url + ready).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return server;
    if (performance.now() - begun > readyTimeoutMs) {
      await server.kill();
      throw new Error(`${kind} was not ready after ${readyTimeoutMs} ms:\n${server.log().slice(-4000)}`);
    }
  }
}
