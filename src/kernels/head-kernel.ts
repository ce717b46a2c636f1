/** The WebAssembly kernel over the memory of a head, for its writer; its twin is {@link ./head-twin.ts}. */

/** Control blocks and places are word offsets in the memory that the kernel was made for. */
export interface HeadKernel {
  /** Runs over the staged samples of a control block (head-layout.ts, Append); returns an AppendStatus. */
  readonly appendStaged: (control: number) => number;
  /** Judges samples and stages the good ones (write-layout.ts, Stage). */
  readonly stageSamples: (control: number) => void;
  /** Takes a remote-write request apart (write-layout.ts, Scan); returns a ScanStatus. */
  readonly scanWriteRequest: (control: number) => number;
  /** Decodes a snappy block; returns how many bytes that gave, -1 where it is none that fits (snappy-decode.ts). */
  readonly snappyDecode: (source: number, sourceBytes: number, target: number, targetBytes: number) => number;
}

/** Makes the kernel from the bytes of `head.wasm` (built from assembly/head.kernel.ts) for one head's memory. */
export function headKernel(wasm: Uint8Array, memory: WebAssembly.Memory): HeadKernel {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return instance.exports as unknown as HeadKernel;
}
