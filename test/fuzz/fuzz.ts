/** The fuzzing loop: many mutated inputs for one target; findings are shrunk and kept in corpus/. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { judge, judgeGuarded, runGuarded } from "./judge.ts";
import { inputRandom, type Material, mutatedInput } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

export const corpusDir = join(import.meta.dirname, "corpus");

export interface Finding {
  readonly target: string;
  /** With the run's seed it gives the input before shrinking. */
  readonly index: number;
  readonly problem: string;
  /** Under corpus/. */
  readonly file: string;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly accepted: number;
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

/** With different problems; then the run ends. */
const findingsMax = 10;
/** Between two turns of the event loop. */
const batchMs = 500;
/** A batch that takes so much longer hangs in an input. */
const batchTimeoutMs = batchMs + 20_000;
/** Of the inputs with checksums, so many get right ones again. */
const sealedShare = 0.8;

export async function fuzz(target: FuzzTarget, seed: number, count: number): Promise<FuzzReport> {
  const material = materialOf(target);
  for (const [i, bytes] of material.seeds.entries()) {
    const { accepted, refusal, problem } = judgeGuarded(target, bytes);
    if (!accepted) throw new Error(`${target.name}: seed ${i} was not accepted: ${problem || refusal}`);
  }
  const findings = new Map<string, Finding>();
  let accepted = 0;
  let slowestMs = 0;
  let index = 0;
  let suspicion = "";
  const batch = () => {
    for (const end = performance.now() + batchMs; index < count && performance.now() < end; index++) {
      const verdict = judge(target, inputOf(target, material, seed, index));
      slowestMs = Math.max(slowestMs, verdict.ms);
      if (verdict.accepted) accepted++;
      suspicion = verdict.problem;
      if (suspicion !== "") return;
    }
  };
  while (index < count && findings.size < findingsMax) {
    if (!runGuarded(batch, batchTimeoutMs)) suspicion = "hangs";
    if (suspicion !== "") {
      const found = confirm(target, inputOf(target, material, seed, index), suspicion);
      if (found !== undefined && !findings.has(keyOf(found.problem))) {
        const finding = {
          target: target.name,
          index,
          problem: found.problem,
          file: keep(target, found.bytes),
        };
        console.error(`fuzz finding: ${JSON.stringify({ seed, ...finding })}`);
        findings.set(keyOf(found.problem), finding);
      }
      index++;
    }
    await nextTurn();
  }
  return { inputs: index, accepted, slowestMs, findings: [...findings.values()] };
}

export function materialOf(target: FuzzTarget): Material {
  return { seeds: target.seeds(), dictionary: (target.dictionary ?? []).map(encodeUtf8) };
}

function inputOf(target: FuzzTarget, material: Material, seed: number, index: number): Uint8Array {
  const random = inputRandom(seed, target.name, index);
  const bytes = mutatedInput(random, material);
  return target.seal !== undefined && random.chance(sealedShare) ? target.seal(bytes) : bytes;
}

/** What problems have in common that differ in numbers and names only. */
function keyOf(problem: string): string {
  return problem.replace(/"[^"]*"/g, '""').replace(/\d+/g, "0");
}

/** The input once more, made smaller. Undefined where it was only the machine that was slow. */
function confirm(
  target: FuzzTarget,
  bytes: Uint8Array,
  suspicion: string,
): { bytes: Uint8Array; problem: string } | undefined {
  const { problem } = judgeGuarded(target, bytes);
  if (problem !== "") {
    return { bytes: problem.startsWith("hangs") ? bytes : shrunk(target, bytes, keyOf(problem)), problem };
  }
  if (/^(slow|large|hangs)/.test(suspicion)) return undefined;
  return { bytes, problem: `only after other inputs: ${suspicion}` };
}

const shrinkMs = 3000;

/** Without the ranges that the problem does not need. */
function shrunk(target: FuzzTarget, bytes: Uint8Array, key: string): Uint8Array {
  const end = performance.now() + shrinkMs;
  for (let size = bytes.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= bytes.length && performance.now() < end; ) {
      const shorter = new Uint8Array(bytes.length - size);
      shorter.set(bytes.subarray(0, at));
      shorter.set(bytes.subarray(at + size), at);
      const candidate = target.seal === undefined ? shorter : target.seal(shorter);
      if (keyOf(judgeGuarded(target, candidate).problem) === key) bytes = candidate;
      else at += size;
    }
  }
  return bytes;
}

/** Writes a finding into the corpus, where every later run finds it. */
function keep(target: FuzzTarget, bytes: Uint8Array): string {
  const name = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  mkdirSync(join(corpusDir, target.name), { recursive: true });
  writeFileSync(join(corpusDir, target.name, name), bytes);
  return `${target.name}/${name}`;
}
