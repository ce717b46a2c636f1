#!/usr/bin/env node
// Sends a workload (workload.mjs) to a server's remote-write endpoint and reports what the server spent.
//
//   node bench/replay.mjs DIR URL [--pid PID] [--connections 2] [--from 0] [--to 0] [--pace 0] [--retries 100]
//
// --pace N: at most N samples per second (0: as fast as it goes). Prints one JSON line; with --pid also the server's
// CPU seconds per million samples and its memory.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { numberOptions } from "./options.mjs";
import { cpuSeconds, memoryMiB } from "./process-stats.mjs";

const retryPauseMs = 100;
const headers = {
  "Content-Encoding": "snappy",
  "Content-Type": "application/x-protobuf",
  "X-Prometheus-Remote-Write-Version": "0.1.0",
};

/** POSTs one body; resolves to {status, text}, status 0 when the connection failed. */
export function post(agent, url, body) {
  return new Promise((resolve) => {
    const request = http.request(
      url,
      { agent, method: "POST", headers: { ...headers, "Content-Length": body.length } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode, text }));
      },
    );
    request.on("error", (error) => resolve({ status: 0, text: String(error) }));
    request.end(body);
  });
}

/**
 * Sends requests [from, to). The samples of one series must arrive in order, so the requests of one scrape share the
 * connections and the next scrape waits for them. `onAcknowledged(request, milliseconds)` is called for each request that got a 2xx; nothing more
 * is sent once `isOver()` says so.
 */
export async function replay(dir, url, options) {
  const {
    pid,
    connections,
    from,
    to,
    pace,
    retries,
    onAcknowledged = () => {},
    isOver = () => false,
  } = options;
  const index = JSON.parse(readFileSync(`${dir}/index.json`, "utf8"));
  const requests = index.requests.slice(from, to || index.requests.length);
  const file = openSync(`${dir}/bodies.bin`, "r");
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const result = { samples: 0, failed: 0, retried: 0, firstError: "" };

  async function send(request) {
    const body = Buffer.allocUnsafe(request.length);
    readSync(file, body, 0, request.length, request.offset);
    for (let attempt = 0; ; attempt++) {
      const sent = performance.now();
      const { status, text } = await post(agent, url, body);
      if (status >= 200 && status < 300) {
        result.samples += request.samples;
        onAcknowledged(request, performance.now() - sent);
        return;
      }
      if ((status !== 429 && status !== 503) || attempt >= retries) {
        result.failed += request.samples;
        result.firstError ||= `${status} ${text.slice(0, 200)}`;
        return;
      }
      result.retried++;
      await sleep(retryPauseMs);
    }
  }

  const cpuBefore = pid ? cpuSeconds(pid) : Number.NaN;
  const begun = performance.now();
  let planned = 0;
  for (let i = 0; i < requests.length && !isOver(); ) {
    const scrape = requests[i].scrape;
    const group = [];
    for (; i < requests.length && requests[i].scrape === scrape; i++) group.push(requests[i]);
    let next = 0;
    const lane = async () => {
      while (next < group.length && !isOver()) {
        const request = group[next++];
        planned += request.samples;
        if (pace > 0) await sleep(Math.max(0, (planned / pace) * 1000 - (performance.now() - begun)));
        await send(request);
      }
    };
    await Promise.all(Array.from({ length: connections }, lane));
  }
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  closeSync(file);
  const cpu = pid ? cpuSeconds(pid) - cpuBefore : Number.NaN;
  return {
    ...result,
    seconds,
    samplesPerSecond: Math.round(result.samples / seconds),
    cpuSecondsPerMillion: (cpu / result.samples) * 1e6,
    ...(pid ? memoryMiB(pid) : {}),
  };
}

export const replayDefaults = { pid: 0, connections: 2, from: 0, to: 0, pace: 0, retries: 100 };

if (import.meta.filename === process.argv[1]) {
  const { options, rest } = numberOptions(process.argv.slice(2), replayDefaults);
  if (rest.length !== 2)
    throw new Error(
      "usage: node bench/replay.mjs DIR URL [--pid PID] [--connections N] [--from N] [--to N] [--pace N]",
    );
  console.log(JSON.stringify(await replay(rest[0], rest[1], options)));
}
