#!/usr/bin/env node
// Writes a seeded, Kubernetes-like workload as ready-made remote-write 1.0 bodies, so that every server is fed the
// very same bytes.
//
//   node bench/workload.mjs DIR [--series 20000] [--minutes 120] [--interval 15] [--batch 2000] [--churn 0]
//                               [--seed 1] [--end MS]
//
// DIR/bodies.bin: the snappy-compressed bodies, one after the other.
// DIR/index.json: {series, active, samples, interval, start, end, …, requests: [{offset, length, samples, scrape}]}.
// A pod is a target with about 100 series of mixed shapes; --churn P replaces P percent of the pods every ten minutes.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { compressSync } from "snappy";
import { numberOptions } from "./options.mjs";
import { seededRandom } from "./random.mjs";

const bucketBounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
const churnEveryMs = 600_000;

/** How a series moves: called once per scrape with the seconds since the last one. */
function shapes({ uniform, gauss, count }) {
  return {
    constant: (value) => () => value,
    counter: (rate, start) => {
      let total = Math.floor(start);
      return (seconds) => (total += count(rate * seconds));
    },
    /** A sum of float seconds, with all its digits. */
    floatSum: (rate, start) => {
      let total = start;
      return (seconds) => (total += rate * seconds * (0.7 + 0.6 * uniform()));
    },
    /** CPU seconds with two decimals. */
    cpuSeconds: (rate, start) => {
      let total = start;
      return (seconds) =>
        (total = Math.round((total + rate * seconds * (0.9 + 0.2 * uniform())) * 100) / 100);
    },
    /** Bytes in whole pages, wandering. */
    memory: (start) => {
      let bytes = Math.floor(start);
      return () => (bytes = Math.max(2 ** 20, bytes + 4096 * Math.round(60 * gauss())));
    },
    wholeGauge: (start, deviation) => {
      let value = start;
      return () => (value = Math.max(0, value + Math.round(deviation * gauss())));
    },
    decimalGauge: (start, deviation) => {
      let value = start;
      return () => Math.round((value = Math.max(0, value + deviation * gauss())) * 100) / 100;
    },
  };
}

/** The series of one pod: [{labels: encoded label bytes, next(seconds) → value}]. */
function podSeries(number, random, startMs) {
  const { uniform } = random;
  const shape = shapes(random);
  const hash = (Math.imul(number, 2654435761) >>> 0).toString(16).padStart(8, "0");
  const target = {
    cluster: `c${number % 3}`,
    instance: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}:8080`,
    job: `svc-${number % 37}`,
    namespace: `ns-${number % 11}`,
    node: `node-${number % 50}`,
    pod: `svc-${number % 37}-${hash}-${hash.slice(3)}`,
  };
  const series = [];
  const add = (name, labels, next) =>
    series.push({ labels: encodeLabels({ __name__: name, ...target, ...labels }), next });

  for (const code of ["200", "404", "500", "503"]) {
    for (const method of ["GET", "POST"]) {
      const rate = (code === "200" ? 40 : 0.3) * (method === "GET" ? 1 : 0.4) * (0.2 + uniform());
      add("http_requests_total", { code, method }, shape.counter(rate, uniform() * 1e6));
    }
  }
  for (const method of ["GET", "POST"]) {
    let rate = 0;
    bucketBounds.forEach((le, i) => {
      rate += uniform() * 6 * Math.exp(-((i - 5) ** 2) / 6);
      add("http_request_duration_seconds_bucket", { le, method }, shape.counter(rate, rate * 4000));
    });
    add("http_request_duration_seconds_count", { method }, shape.counter(rate, rate * 4000));
    add("http_request_duration_seconds_sum", { method }, shape.floatSum(rate * 0.12, rate * 480));
  }
  for (const cpu of ["0", "1", "2", "3"]) {
    for (const mode of ["idle", "system", "user", "iowait"]) {
      const rate = mode === "idle" ? 0.8 : 0.06 * uniform();
      add("node_cpu_seconds_total", { cpu, mode }, shape.cpuSeconds(rate, uniform() * 1e5));
    }
  }
  for (const container of ["app", "proxy"]) {
    add("container_memory_working_set_bytes", { container }, shape.memory(2 ** 27 * (0.5 + uniform())));
    add("container_cpu_usage_seconds_total", { container }, shape.floatSum(uniform() * 0.7, uniform() * 5e4));
    add(
      "container_network_receive_bytes_total",
      { container },
      shape.counter(20000 * uniform(), uniform() * 1e10),
    );
    add("container_fs_usage_bytes", { container }, shape.constant(4096 * Math.floor(uniform() * 1e5)));
  }
  add("up", {}, shape.constant(1));
  add("process_open_fds", {}, shape.wholeGauge(40, 3));
  add("go_goroutines", {}, shape.wholeGauge(200, 9));
  add("queue_length", {}, shape.wholeGauge(0, 2));
  add("temperature_celsius", { sensor: "cpu" }, shape.decimalGauge(45, 0.4));
  add("load1", {}, shape.decimalGauge(1, 0.08));
  add("process_start_time_seconds", {}, shape.constant(startMs / 1000 - 5000 + 0.37));
  add("build_info", { version: `1.${number % 7}`, revision: hash }, shape.constant(1));
  for (let i = 0; i < 25; i++) {
    const rate = i % 5 === 0 ? 0 : Math.exp(-i / 4) * 5 * uniform();
    add("app_events_total", { event: `e${i}` }, shape.counter(rate, uniform() * 1e4));
  }
  return series;
}

// Protobuf, as remote write 1.0 has it: WriteRequest{1: TimeSeries{1: Label{1: name, 2: value}*, 2: Sample{1: value, 2: t}*}*}

function varint(n) {
  const bytes = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  bytes.push(n);
  return Buffer.from(bytes);
}

const field = (tag, bytes) => Buffer.concat([Buffer.from([tag]), varint(bytes.length), bytes]);

function encodeLabels(labels) {
  const names = Object.keys(labels).sort((a, b) => (a < b ? -1 : 1));
  return Buffer.concat(
    names.map((name) =>
      field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(labels[name]))])),
    ),
  );
}

function encodeSample(t, value) {
  const bits = Buffer.alloc(10);
  bits[0] = 0x09;
  bits.writeDoubleLE(value, 1);
  bits[9] = 0x10;
  return Buffer.concat([bits, varint(t)]);
}

/** Writes the workload; returns the content of index.json. */
export function writeWorkload(dir, options) {
  const { series: wanted, minutes, interval, batch, churn, seed } = options;
  const end = options.end || Math.floor(Date.now() / 1000) * 1000;
  const start = end - minutes * 60_000;
  const intervalMs = interval * 1000;
  const random = seededRandom(seed);
  let podNumber = 0;
  const newPod = () => ({
    phaseMs: Math.floor(random.uniform() * intervalMs),
    series: podSeries(podNumber++, random, start),
  });
  const pods = [];
  let active = 0;
  while (active < wanted) {
    const pod = newPod();
    pod.series.length = Math.min(pod.series.length, wanted - active);
    active += pod.series.length;
    pods.push(pod);
  }

  mkdirSync(dir, { recursive: true });
  const file = openSync(`${dir}/bodies.bin`, "w");
  const requests = [];
  let everSeries = active;
  let samples = 0;
  let bytes = 0;
  let rawBytes = 0;
  let pending = [];
  let scrape = 0;
  const flush = () => {
    if (pending.length === 0) return;
    const raw = Buffer.concat(pending);
    const body = compressSync(raw);
    writeSync(file, body);
    requests.push({ offset: bytes, length: body.length, samples: pending.length, scrape });
    bytes += body.length;
    rawBytes += raw.length;
    pending = [];
  };
  let churnedAt = start;
  for (let t = start; t < end; t += intervalMs, scrape++) {
    if (churn > 0 && t - churnedAt >= churnEveryMs) {
      churnedAt = t;
      for (let i = Math.max(1, Math.round((pods.length * churn) / 100)); i > 0; i--) {
        const pod = newPod();
        pods[Math.floor(random.uniform() * pods.length)] = pod;
        everSeries += pod.series.length;
      }
    }
    for (const pod of pods) {
      const at = t + pod.phaseMs + (random.uniform() < 0.3 ? Math.round(3 * random.gauss()) : 0);
      for (const one of pod.series) {
        pending.push(
          field(0x0a, Buffer.concat([one.labels, field(0x12, encodeSample(at, one.next(interval)))])),
        );
        samples++;
        if (pending.length === batch) flush();
      }
    }
    flush(); // a request never holds samples of two scrapes
  }
  closeSync(file);
  const index = {
    series: everSeries,
    active,
    samples,
    interval: intervalMs,
    start,
    end,
    seed,
    churn,
    rawBytes,
    bytes,
    requests,
  };
  writeFileSync(`${dir}/index.json`, JSON.stringify(index));
  return index;
}

export const workloadDefaults = {
  series: 20_000,
  minutes: 120,
  interval: 15,
  batch: 2000,
  churn: 0,
  seed: 1,
  end: 0,
};

if (import.meta.filename === process.argv[1]) {
  const { options, rest } = numberOptions(process.argv.slice(2), workloadDefaults);
  if (rest.length !== 1)
    throw new Error(
      "usage: node bench/workload.mjs DIR [--series N] [--minutes N] [--interval S] [--batch N] [--churn P] [--seed N] [--end MS]",
    );
  const index = writeWorkload(rest[0], options);
  const size = (index.bytes / 1e6).toFixed(1);
  console.log(
    `${index.samples} samples, ${index.series} series, ${index.requests.length} requests, ${size} MB`,
  );
}
