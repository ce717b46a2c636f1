/** The file system that a directory lies on: how large it is and how much is free. */
import { statfsSync } from "node:fs";
import { NarthexError } from "../base/errors.ts";

/** What must stay free beside the block that is written. */
const spareBytes = 64 * 1024 * 1024;

/** Undefined where the system does not say. */
export function diskBytes(dir: string): number | undefined {
  try {
    const { blocks, bsize } = statfsSync(dir);
    return blocks > 0 ? blocks * bsize : undefined;
  } catch {
    return undefined;
  }
}

/** Throws a STORAGE error where a block of `neededBytes` does not fit. */
export function requireSpace(dir: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(dir);
  const free = bavail * bsize;
  if (free >= neededBytes + spareBytes) return;
  throw new NarthexError(
    "STORAGE",
    `rewriting a block needs up to ${neededBytes} bytes and ${spareBytes} to spare, but only ${free} are free in ${dir}; nothing was changed`,
  );
}
