/**
 * Proof 6, first part: seeded mutations of valid inputs for every decoder. None may fail but with an expected error, take
 * long, or take memory by a length that nobody checked. Findings stay in test/fuzz/corpus.
 */
import { expect, test } from "vitest";
import { fuzz } from "../fuzz/fuzz.ts";
import { targets } from "../fuzz/targets.ts";
import { proofSeed, size } from "./size.ts";

const inputsPerTarget = Number(process.env.NARTHEX_FUZZ_INPUTS ?? size(2000, 1_000_000));
const seed = proofSeed("proof 6");

test.each(
  targets.map((target) => [target.name, target] as const),
)(`${inputsPerTarget} inputs: %s`, async (name, target) => {
  const start = performance.now();
  const { inputs, accepted, slowestMs, findings } = await fuzz(target, seed, inputsPerTarget);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `proof 6: ${name}: ${inputs} inputs in ${seconds.toFixed(1)} s, ${accepted} accepted, slowest ${slowestMs.toFixed(0)} ms, ${findings.length} findings`,
  );
  expect(findings).toEqual([]);
  expect(inputs).toBe(inputsPerTarget);
  // Otherwise the mutations never got past the first check, or never broke anything.
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(inputs);
});
