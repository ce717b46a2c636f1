/**
 * The data that both servers get: a small workload (bench/workload.mjs) and the odd series, as remote-write bodies in
 * the order of time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compressSync, uncompressSync } from "snappy";
import { workloadDefaults, writeWorkload } from "../../../bench/workload.mjs";
import { compareLabels, type Labels } from "../../../src/model/labels.ts";
import { readLabels } from "../../../src/remote/request-labels.ts";
import { WriteRequest } from "../../../src/remote/write-request.ts";
import { encodeWriteRequest, staleBits, type WrittenSeries } from "../../peers/remote-write.ts";
import { oddSeries } from "./odd-series.ts";

export interface World {
  readonly bodies: readonly Uint8Array[];
  /** Of all series, sorted. */
  readonly labelSets: readonly Labels[];
  readonly startMs: number;
  readonly endMs: number;
}

const minuteMs = 60_000;
const minutes = 60;

/** Writes the workload to `dir`; `churn` percent of its pods are replaced every ten minutes. */
export function makeWorld(dir: string, seed: number, series: number, churn: number): World {
  const startMs = Date.UTC(2026, 0, 1, 6);
  const endMs = startMs + minutes * minuteMs;
  const index = writeWorkload(dir, { ...workloadDefaults, series, minutes, churn, seed, end: endMs });
  const workload = readFileSync(join(dir, "bodies.bin"));
  const odd = oddSeries(seed, startMs, endMs);
  const bodies: Uint8Array[] = [];
  let scrape = 0;
  for (let from = startMs; from <= endMs; from += minuteMs) {
    const to = from + minuteMs;
    for (; index.requests[scrape]?.scrape * index.interval < to - startMs; scrape++) {
      const { offset, length } = index.requests[scrape];
      bodies.push(workload.subarray(offset, offset + length));
    }
    bodies.push(compressSync(encodeWriteRequest(between(odd, from, to))) as Buffer);
  }
  return { bodies, labelSets: labelSetsOf(bodies), startMs, endMs };
}

function between(series: readonly WrittenSeries[], fromMs: number, toMs: number): WrittenSeries[] {
  return series
    .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ t }) => t >= fromMs && t < toMs) }))
    .filter(({ samples }) => samples.length > 0);
}

function labelSetsOf(bodies: readonly Uint8Array[]): Labels[] {
  const byKey = new Map<string, Labels>();
  const request = new WriteRequest();
  for (const body of bodies) {
    request.decode(uncompressSync(body as Buffer) as Buffer);
    for (let i = 0; i < request.series; i++) {
      const { labels } = readLabels(request, i);
      byKey.set(labels.key, labels);
    }
  }
  return [...byKey.values()].sort(compareLabels);
}

/**
 * A body that makes all series known, sorted by their labels, without a sample that a query could see. The head then
 * lists series in the order in which blocks do, and sums come out the same wherever the samples are.
 */
export function sortedBody({ labelSets, startMs }: World): Uint8Array {
  const samples = [{ t: startMs - minuteMs, bits: staleBits }];
  const series = labelSets.map((labels) => ({ labels: labels.toObject(), samples }));
  return compressSync(encodeWriteRequest(series)) as Buffer;
}
