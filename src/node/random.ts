/** Randomness from the operating system, fetched a few kilobytes at a time. */
import { randomFillSync } from "node:crypto";
import type { Random } from "../base/env.ts";

const pool = new Uint32Array(1024);
let used = pool.length;

export const nodeRandom: Random = {
  u32() {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    return pool[used++];
  },
};
