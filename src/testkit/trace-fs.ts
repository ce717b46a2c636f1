/** A file system that writes down every call that changes the disk: durability as a text that a reviewer can read. */
import type { Fs } from "../base/fs.ts";
import { type FsCall, interceptFs, isChange } from "./intercept-fs.ts";

export interface TraceFs extends Fs {
  /** The calls so far, a line each. */
  readonly trace: readonly string[];
  /** Returns the lines since the last time. */
  takeTrace(): string[];
}

/**
 * A view of `inner` that records. `before` is called before each recorded call: the moment to take a picture of the
 * disk. Paths are written without `root`.
 */
export function traceFs(inner: Fs, root = "", before: (line: string) => void = () => {}): TraceFs {
  const trace: string[] = [];
  let taken = 0;
  const short = (path: string) => (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);
  const fs = interceptFs(inner, (call, run) => {
    if (isChange(call)) {
      const line = describe(call, short);
      before(line);
      trace.push(line);
    }
    return run();
  });
  return {
    ...fs,
    trace,
    takeTrace() {
      const lines = trace.slice(taken);
      taken = trace.length;
      return lines;
    },
  };
}

function describe({ operation, path, to, position, bytes }: FsCall, short: (path: string) => string): string {
  const name = short(path);
  switch (operation) {
    case "write":
      return `write ${name} ${position}+${bytes}`;
    case "truncate":
      return `truncate ${name} to ${position}`;
    case "rename":
    case "link":
      return `${operation} ${name} -> ${short(to)}`;
    default:
      return `${operation} ${name}`;
  }
}
