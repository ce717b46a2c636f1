/** Writes a file from its start through a buffer, and counts; for files that are written once and then only read. */
import type { File } from "./fs.ts";

export class FileWriter {
  readonly #file: File;
  readonly #buffer: Uint8Array;
  #buffered = 0;
  #flushedBytes = 0;

  /** Owns `file`, which is empty, from here on. */
  constructor(file: File, bufferBytes = 1 << 18) {
    this.#file = file;
    this.#buffer = new Uint8Array(bufferBytes);
  }

  get path(): string {
    return this.#file.path;
  }

  /** How many bytes were written: where the next one goes. */
  get position(): number {
    return this.#flushedBytes + this.#buffered;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length - this.#buffered) {
      this.#flush();
      if (bytes.length >= this.#buffer.length) {
        this.#file.writeAt(bytes, this.#flushedBytes);
        this.#flushedBytes += bytes.length;
        return;
      }
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Zeros up to a multiple of `size`. */
  pad(size: number): void {
    const over = this.position % size;
    if (over > 0) this.write(new Uint8Array(size - over));
  }

  /** Replaces bytes written earlier. */
  patch(position: number, bytes: Uint8Array): void {
    this.#flush();
    this.#file.writeAt(bytes, position);
  }

  /** Flushes, makes the content durable, closes. */
  finish(): void {
    this.#flush();
    this.#file.sync();
    this.#file.close();
  }

  /** Closes without flushing: for a file that will be thrown away. Harmless after {@link finish}. */
  abandon(): void {
    this.#file.close();
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    this.#file.writeAt(this.#buffer.subarray(0, this.#buffered), this.#flushedBytes);
    this.#flushedBytes += this.#buffered;
    this.#buffered = 0;
  }
}
