/** The real file system. Errors are Node's own, with their `code`. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { File, Fs, OpenMode } from "../base/fs.ts";

const flags: Record<OpenMode, string> = { read: "r", write: "r+", create: "wx+", replace: "w+" };

/** Reads and writes past 2 GiB in one call are refused by Node. */
const transferBytesMax = 1024 * 1024 * 1024;

class NodeFile implements File {
  readonly path: string;
  readonly #descriptor: number;
  #isOpen = true;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#descriptor = openSync(path, flags[mode]);
  }

  readAt(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const length = Math.min(into.length - done, transferBytesMax);
      const read = readSync(this.#descriptor, into, done, length, position + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  writeAt(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(bytes.length - done, transferBytesMax);
      done += writeSync(this.#descriptor, bytes, done, length, position + done);
    }
  }

  size(): number {
    return fstatSync(this.#descriptor).size;
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#descriptor, sizeBytes);
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}

/** Makes the content of a file durable, without keeping this thread waiting for the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export const nodeFs: Fs = {
  open: (path, mode) => new NodeFile(path, mode),

  stat(path) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    return { sizeBytes: found.size, isDirectory: found.isDirectory(), mtimeMs: found.mtimeMs };
  },

  list: (dir) => readdirSync(dir).sort(),

  readFile(path) {
    const file = new NodeFile(path, "read");
    try {
      const bytes = new Uint8Array(file.size());
      return bytes.subarray(0, file.readAt(bytes, 0));
    } finally {
      file.close();
    }
  },

  makeDir(dir) {
    const first = mkdirSync(dir, { recursive: true });
    if (first === undefined) return;
    // Each new name is durable once the directory that has it is synced.
    for (let made = resolve(dir); ; made = dirname(made)) {
      syncDir(dirname(made));
      if (made === resolve(first) || made === dirname(made)) return;
    }
  },

  rename: renameSync,

  link: linkSync,

  removeFile(path) {
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  },

  removeDir(dir) {
    rmSync(dir, { recursive: true, force: true });
  },

  syncDir,
};

function syncDir(dir: string): void {
  const descriptor = openSync(dir, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
