import { vi } from "vitest";

/** The proofs run at a small size with `npm test`, at full size with `npm run proof`. */
export const full = process.env.NARTHEX_PROOF === "full";

/** The small or the full value, whichever this run is for. */
export function size<T>(small: T, fullSize: T): T {
  return full ? fullSize : small;
}

/** The seed of this run: `NARTHEX_SEED`, or a new one; printed, so that a failure can be repeated. */
export function proofSeed(proof: string): number {
  const seed = Number(process.env.NARTHEX_SEED ?? (Date.now() % 2 ** 31) + process.pid);
  console.log(`${proof}: seed ${seed} (repeat with NARTHEX_SEED=${seed})`);
  return seed >>> 0;
}

// A proof takes longer than a unit test; this holds for the file that imports this one.
vi.setConfig({ testTimeout: size(300_000, 7_200_000), hookTimeout: 300_000 });
