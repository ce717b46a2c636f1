import { NarthexError } from "../base/errors.ts";
import { blocksAddress, Control, controlAddress } from "./scrape-layout.ts";
import { writePowersOfTen } from "./scrape-powers.ts";
import { scanPage } from "./scrape-scan.ts";

const pageBytes = 64 * 1024;
const pagesMax = 65536;
/** The smallest block, as a power of two. */
const smallestClass = 8;

/** The kernel's one function; works on the memory it was instantiated with. */
export type ScanKernel = () => number;

/**
 * The memory of scrape-layout.ts with its views, the blocks in it, and the scanner over it: the WebAssembly kernel where
 * one is given, otherwise its TypeScript twin.
 *
 * Blocks have sizes of powers of two; a freed one is kept for the next of its size. Pages that were never touched cost
 * no memory of the machine, so that the unused half of a block is mostly free of charge.
 */
export class ScrapeMemory {
  readonly #memory: WebAssembly.Memory;
  /** Views of the whole memory; new ones after every {@link allocate}. */
  u8: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  u32: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  f64: Float64Array<ArrayBuffer> = new Float64Array(0);
  readonly #free: number[][] = [];
  #next = blocksAddress;
  readonly #kernel: ScanKernel | undefined;
  /** Blocks in use, for the memory budget. */
  usedBytes = 0;

  /**
   * `instantiate` makes the kernel over the memory (scrape-kernel.ts); undefined: the twin is used. `hashSeed` is a
   * random u32, so that no page can be written whose keys all collide.
   */
  constructor(hashSeed: number, instantiate?: (memory: WebAssembly.Memory) => ScanKernel) {
    this.#memory = new WebAssembly.Memory({ initial: blocksAddress / pageBytes, maximum: pagesMax });
    this.#kernel = instantiate?.(this.#memory);
    this.#refresh();
    writePowersOfTen(this.u8);
    this.setControl(Control.hashSeed, hashSeed);
  }

  /** Memory taken from the system, in bytes. */
  get sizeBytes(): number {
    return this.u8.length;
  }

  /** Word index of the control block. */
  readonly controlWord = controlAddress >> 2;

  control(word: number): number {
    return this.u32[this.controlWord + word];
  }

  setControl(word: number, value: number): void {
    this.u32[this.controlWord + word] = value;
  }

  /** Reads on from the control block's position; returns a Status. */
  scan(): number {
    return this.#kernel === undefined ? scanPage(this.u8, this.u32, this.f64) : this.#kernel();
  }

  /** A block of at least `bytes`, its content undefined. Throws a STORAGE error where 4 GiB are full. */
  allocate(bytes: number): number {
    const sizeClass = classOf(bytes);
    this.usedBytes += 2 ** sizeClass;
    const free = this.#free[sizeClass];
    if (free !== undefined && free.length > 0) return free.pop() as number;
    const address = this.#next;
    this.#reserve(address + 2 ** sizeClass);
    this.#next = address + 2 ** sizeClass;
    return address;
  }

  /** Gives back a block that was allocated with the same `bytes`. */
  release(address: number, bytes: number): void {
    const sizeClass = classOf(bytes);
    this.usedBytes -= 2 ** sizeClass;
    this.#free[sizeClass] ??= [];
    this.#free[sizeClass].push(address);
  }

  /** A block of at least `bytes` that begins with the content of the given one, which may be that one still. */
  resize(address: number, oldBytes: number, bytes: number): number {
    if (classOf(oldBytes) === classOf(bytes)) return address;
    const bigger = this.allocate(bytes);
    this.u8.copyWithin(bigger, address, address + Math.min(oldBytes, bytes));
    this.release(address, oldBytes);
    return bigger;
  }

  #reserve(end: number): void {
    if (end <= this.u8.length) return;
    // By an eighth at least: growing moves nothing, but makes the engine replace its bookkeeping.
    const wanted = Math.max(end, this.u8.length + this.u8.length / 8);
    const pages = Math.min(pagesMax, Math.ceil(wanted / pageBytes)) - this.u8.length / pageBytes;
    try {
      if (end > pagesMax * pageBytes) throw new RangeError("beyond 4 GiB");
      this.#memory.grow(pages);
    } catch (cause) {
      throw new NarthexError(
        "STORAGE",
        `No memory for the series of another scrape target (${this.u8.length} bytes are in use): scrape fewer series with one server, or give it more memory.`,
        { cause },
      );
    } finally {
      this.#refresh();
    }
  }

  #refresh(): void {
    const buffer = this.#memory.buffer as ArrayBuffer;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }
}

function classOf(bytes: number): number {
  return Math.max(smallestClass, Math.ceil(Math.log2(bytes)));
}
