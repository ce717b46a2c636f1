/**
 * ULIDs, the names of blocks: 48 bits of milliseconds and 80 random bits, as 26 characters of Crockford's base 32, so
 * that names sort by the time of their making.
 */
import type { Clock, Random } from "../../base/env.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const pattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export function newUlid(clock: Pick<Clock, "nowMs">, random: Random): string {
  let time = Math.floor(clock.nowMs());
  let text = "";
  for (let i = 0; i < 10; i++) {
    text = alphabet[time % 32] + text;
    time = Math.floor(time / 32);
  }
  // The upper five bits of each draw: the lower ones are the weak ones of simple generators.
  for (let i = 0; i < 16; i++) text += alphabet[random.u32() >>> 27];
  return text;
}

/** Whether `text` is one, in capitals as directories have it. */
export function isUlid(text: string): boolean {
  return pattern.test(text);
}
