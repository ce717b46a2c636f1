import fc from "fast-check";
import { expect, test } from "vitest";
import { fma } from "./fma.ts";

/** value = mantissa * 2^exponent, exactly. */
function exact(value: number): { mantissa: bigint; exponent: number } {
  let exponent = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent--;
  }
  return { mantissa: BigInt(value), exponent };
}

/** a * b + c in integers, rounded once by the conversion to a number. */
function oracle(a: number, b: number, c: number): number {
  const [x, y, z] = [exact(a), exact(b), exact(c)];
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const product = (x.mantissa * y.mantissa) << BigInt(x.exponent + y.exponent - exponent);
  const sum = product + (z.mantissa << BigInt(z.exponent - exponent));
  return Number(sum) * 2 ** exponent;
}

test("rounds once", () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((v) => (Math.abs(v) < 1e-30 ? 0 : v));
  fc.assert(
    fc.property(number, number, number, fc.integer({ min: -60, max: 60 }), (a, b, c, power) => {
      const shifted = c * 2 ** power;
      expect(fma(a, b, shifted) + 0).toBe(oracle(a, b, shifted) + 0);
      // Where nearly everything cancels, the error of the product is the result.
      expect(fma(a, b, -(a * b)) + 0).toBe(oracle(a, b, -(a * b)) + 0);
    }),
    { numRuns: 2000 },
  );
});
