/** The WebAssembly twin of head-append.ts, for the writer's memory. */

/** Runs over the staged samples of a control block (head-layout.ts, Append); returns an AppendStatus. */
export type AppendKernel = (control: number) => number;

/** Makes the kernel from the bytes of `head.wasm` (built from assembly/head.kernel.ts) for one head's memory. */
export function headKernel(wasm: Uint8Array, memory: WebAssembly.Memory): AppendKernel {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return instance.exports.appendStaged as AppendKernel;
}
