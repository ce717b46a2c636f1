/**
 * A file that only takes up room: `narthex-reserve` in the data directory, which Prometheus passes over. When the disk
 * is full it goes, so that there is room for what frees space: a block cut from the head, a checkpoint, the deletion of
 * old blocks. It comes back slice by slice, and that it could be written is the proof that there is room again.
 *
 * Its bytes do not compress, so that it takes up what it says on file systems that compress. It is not synced: what
 * counts is that the file system has given the room away.
 */
import type { Random } from "../base/env.ts";
import { type File, type Fs, joinPath } from "../base/fs.ts";

export const reserveFile = "narthex-reserve";

const sliceBytesMax = 1024 * 1024;

export class DiskReserve {
  readonly path: string;
  /** How large it is to be; 0: there is none. */
  readonly sizeBytes: number;
  readonly #fs: Fs;
  readonly #random: Random;
  /** What is written again and again; made when it is first needed. */
  #slice: Uint8Array | undefined;
  #file: File | undefined;
  #heldBytes: number;

  /** Takes over one that is there. */
  constructor(env: { readonly fs: Fs; readonly random: Random }, dir: string, sizeBytes: number) {
    this.#fs = env.fs;
    this.path = joinPath(dir, reserveFile);
    this.sizeBytes = sizeBytes;
    this.#random = env.random;
    this.#heldBytes = env.fs.stat(this.path)?.sizeBytes ?? 0;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What must be free beside it before anything is stored again: otherwise the disk would be full again at once. */
  get marginBytes(): number {
    return Math.max(256 * 1024, Math.ceil(this.sizeBytes / 4));
  }

  /** What must be free for a {@link grow} to its end. */
  get missingBytes(): number {
    return Math.max(0, this.sizeBytes + this.marginBytes - this.#heldBytes);
  }

  /** Writes the next slice. True when there was room for it all, margin included. After a throw nothing is held. */
  grow(): boolean {
    const wanted = this.sizeBytes + this.marginBytes;
    try {
      this.#file ??= this.#fs.open(this.path, this.#heldBytes > 0 ? "write" : "replace");
      this.#slice ??= noise(Math.min(sliceBytesMax, wanted), this.#random.u32());
      const bytes = Math.min(this.#slice.length, wanted - this.#heldBytes);
      if (bytes > 0) {
        this.#file.writeAt(this.#slice.subarray(0, bytes), this.#heldBytes);
        this.#heldBytes += bytes;
      }
      if (this.#heldBytes < wanted) return false;
      this.#file.truncate(this.sizeBytes);
      this.#heldBytes = this.sizeBytes;
      this.#close();
      this.#slice = undefined;
      if (this.sizeBytes === 0) this.#fs.removeFile(this.path);
      return true;
    } catch (error) {
      this.#tryRelease();
      throw error;
    }
  }

  /** Gives the room away. */
  release(): void {
    this.#close();
    this.#fs.removeFile(this.path);
    this.#heldBytes = 0;
  }

  /** Leaves the file for the next start. */
  close(): void {
    this.#close();
  }

  #tryRelease(): void {
    try {
      this.release();
    } catch {
      // The error that matters is on its way; the next attempt goes on with what is there.
      this.#heldBytes = this.#fs.stat(this.path)?.sizeBytes ?? 0;
    }
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Bytes that no compression makes fewer (xorshift32). */
function noise(bytes: number, seed: number): Uint8Array {
  const words = new Int32Array(Math.ceil(bytes / 4));
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}
