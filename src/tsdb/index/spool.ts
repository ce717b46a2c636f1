/** Entries that are kept in memory, in the order they came, until they are written: in blocks, so that nothing moves. */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";

const blockBytes = 1 << 20;

export class Spool {
  readonly #blocks: Uint8Array[] = [];
  #last = new ByteWriter(1 << 16);

  /** Copies the entry. */
  add(entry: Uint8Array): void {
    if (this.#last.length + entry.length > blockBytes) {
      this.#blocks.push(this.#last.bytes());
      this.#last = new ByteWriter(blockBytes);
    }
    this.#last.uvarint(entry.length);
    this.#last.raw(entry);
  }

  /** In the order of {@link Spool.add}; views that must not be written to. */
  *entries(): Iterable<Uint8Array> {
    for (const block of [...this.#blocks, this.#last.bytes()]) {
      const reader = new ByteReader(block, "spool");
      while (reader.remaining > 0) yield reader.view(reader.uvarint());
    }
  }
}
