// The kernels over the shared memory of the head.
export { appendStaged } from "./head-append";
export { stageSamples } from "./head-stage";
export { snappyDecode } from "./snappy-decode";
export { scanWriteRequest } from "./write-scan";
