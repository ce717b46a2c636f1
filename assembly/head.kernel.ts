// The kernels over the shared memory of the head.
export { appendStaged } from "./head-append";
