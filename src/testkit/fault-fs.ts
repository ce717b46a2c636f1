/** A file system on which calls fail when a test says so. */
import type { Fs } from "../base/fs.ts";
import { FsError } from "./fs-error.ts";
import { type FsCall, interceptFs } from "./intercept-fs.ts";

export interface Fault {
  /** "ENOSPC", "EIO", "EROFS" …; "" for a read that only returns less than there is. */
  readonly code: string;
  /** How many bytes of a failing write reach the file. Default 0. */
  readonly writtenBytes?: number;
  /** With the code "": how many bytes a read returns at most. Default 0. */
  readonly readBytes?: number;
}

/**
 * A view of `inner` whose calls fail with what `rule` returns; undefined lets a call through. A sync or close that
 * fails has no effect; a close is not failed.
 */
export function faultFs(inner: Fs, rule: (call: FsCall) => Fault | undefined): Fs {
  return interceptFs(inner, (call, run) => {
    const fault = call.operation === "close" ? undefined : rule(call);
    if (fault === undefined) return run();
    if (fault.code === "") {
      if (call.operation !== "read") throw new RangeError(`only reads can be short, not ${call.operation}`);
      return run(Math.min(fault.readBytes ?? 0, call.bytes));
    }
    if (call.operation === "write" && fault.writtenBytes) run(Math.min(fault.writtenBytes, call.bytes));
    throw new FsError(fault.code, call.operation, call.path);
  });
}

/** A rule that fails the `nth` call (from 1) that `matches`, and no other. */
export function failNth(
  nth: number,
  fault: Fault,
  matches: (call: FsCall) => boolean,
): (call: FsCall) => Fault | undefined {
  let seen = 0;
  return (call) => (matches(call) && ++seen === nth ? fault : undefined);
}
