/** The kernel of head-kernel.ts in TypeScript: where no WebAssembly is given, and to compare it with. */
import { appendStaged } from "./head-append.ts";
import type { HeadKernel } from "./head-kernel.ts";
import { stageSamples } from "./head-stage.ts";
import { snappyDecode } from "./snappy-decode.ts";
import { Scan, Stage } from "./write-layout.ts";
import { scanWriteRequest } from "./write-scan.ts";

/** `doubles` are the same memory as `words`. */
export function headTwin(words: Uint32Array, doubles: Float64Array): HeadKernel {
  const bytesAt = (at: number, count: number) => new Uint8Array(words.buffer, at * 4, count);
  return {
    appendStaged: (control) => appendStaged(words, doubles, control),
    stageSamples(control) {
      const at = (field: number) => words[control + field];
      const n = at(Stage.count);
      words[control + Stage.staged] = stageSamples(
        words,
        doubles,
        words.subarray(at(Stage.refs), at(Stage.refs) + n),
        doubles.subarray(at(Stage.times) >> 1, (at(Stage.times) >> 1) + n),
        words.subarray(at(Stage.values), at(Stage.values) + 2 * n),
        n,
        bytesAt(at(Stage.outcomes), n),
        doubles[(control + Stage.minValidTime) >> 1],
        at(Stage.stagedRefs),
        at(Stage.stagedTimes),
        at(Stage.stagedValues),
        at(Stage.staged),
      );
    },
    scanWriteRequest(control) {
      const message = bytesAt(words[control + Scan.message], words[control + Scan.messageBytes]);
      return scanWriteRequest(words, doubles, message, control);
    },
    snappyDecode: (source, sourceBytes, target, targetBytes) =>
      snappyDecode(bytesAt(source, sourceBytes), bytesAt(target, targetBytes)),
  };
}
