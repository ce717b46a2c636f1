// The hash of src/kernels/label-hash.ts.

/** The high word of the last hash; the low one is returned. */
export let hashHigh: u32 = 0;

export function hashBytes(start: usize, end: usize, seed: u32): u32 {
  let a: u32 = seed ^ 0x9e3779b9;
  let b: u32 = seed ^ 0x85ebca6b ^ <u32>(end - start);
  let at = start;
  for (; at + 8 <= end; at += 8) {
    a = (a ^ load<u32>(at)) * 0x85ebca6b;
    a ^= a >> 15;
    b = (b ^ load<u32>(at, 4)) * 0xc2b2ae35;
    b ^= b >> 13;
    a += rotl<u32>(b, 7);
    b += rotl<u32>(a, 11);
  }
  let x: u32 = 0;
  let y: u32 = 0;
  for (let shift: u32 = 0; at < end && shift < 32; at++, shift += 8) x |= <u32>load<u8>(at) << shift;
  for (let shift: u32 = 0; at < end; at++, shift += 8) y |= <u32>load<u8>(at) << shift;
  a = (a ^ x) * 0x85ebca6b;
  a ^= a >> 15;
  b = (b ^ y) * 0xc2b2ae35;
  b ^= b >> 13;
  a = mix(a + rotl<u32>(b, 7));
  b = mix(b + rotl<u32>(a, 11));
  hashHigh = b;
  return a + b;
}

// @ts-ignore: decorator
@inline
function mix(x: u32): u32 {
  x ^= x >> 16;
  x *= 0x85ebca6b;
  x ^= x >> 13;
  x *= 0xc2b2ae35;
  return x ^ (x >> 16);
}
