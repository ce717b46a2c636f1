/**
 * The part of WebAssembly's JavaScript interface that this project uses. TypeScript ships these types with the DOM
 * only, and the DOM's other globals must not become visible here.
 */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    /** Pages of 64 KiB. */
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }

  class Memory {
    constructor(descriptor: MemoryDescriptor);
    /** A SharedArrayBuffer where the memory is shared. Growing an unshared memory detaches the earlier buffer. */
    readonly buffer: ArrayBufferLike;
    /** Throws a RangeError where there is no room; returns the earlier size in pages. */
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
