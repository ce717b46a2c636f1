/**
 * Proof 6, first part: seeded mutations of valid inputs for every decoder. None may fail but with an expected error, take
 * long, or take memory by a length that nobody checked. Findings stay in test/fuzz/corpus.
 */
import { expect, test } from "vitest";
import { fuzz } from "../fuzz/fuzz.ts";
import { targets } from "../fuzz/targets.ts";
import { proofSeed, size } from "./size.ts";

const inputsPerDecoder = Number(process.env.NARTHEX_FUZZ_INPUTS ?? size(2000, 1_000_000));
const seed = proofSeed("proof 6");

const rows = targets.map(
  (target) => [target.name, Math.ceil(target.share * inputsPerDecoder), target] as const,
);

test.each(rows)("%s: %i inputs", async (name, count, target) => {
  const start = performance.now();
  const { inputs, accepted, slowestMs, findings } = await fuzz(target, seed, count);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `proof 6: ${name}: ${inputs} inputs in ${seconds} s, ${accepted} accepted, slowest ${slowestMs.toFixed(0)} ms, ${findings.length} findings`,
  );
  expect(findings).toEqual([]);
  expect(inputs).toBe(count);
  // Otherwise the mutations never got past the first check.
  if (count >= 200) expect(accepted).toBeGreaterThan(0);
});
