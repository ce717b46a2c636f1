// Decodes a snappy block from one place of the memory to another: src/kernels/snappy-decode.ts has the format.

/**
 * Places are words, sizes are bytes. Behind `target` there are 64 bytes more than `targetBytes` that may be written.
 * Returns the number of bytes, -1 where the source is no block that fits.
 */
export function snappyDecode(source: u32, sourceBytes: u32, target: u32, targetBytes: u32): i32 {
  let at = (<usize>source) << 2;
  const end = at + <usize>sourceBytes;
  const start = (<usize>target) << 2;
  let out = start;
  let declared: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (at == end || shift == 35) return -1;
    const byte = <u64>load<u8>(at++);
    declared |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (declared > <u64>targetBytes) return -1;
  const outEnd = out + <usize>declared;
  while (at < end) {
    const tag = <usize>load<u8>(at++);
    let length = (tag >> 2) + 1;
    let offset: usize;
    if ((tag & 3) == 0) {
      if (length <= 16 && end - at >= 16 && length <= outEnd - out) {
        v128.store(out, v128.load(at));
        at += length;
        out += length;
        continue;
      }
      if (length > 60) {
        const bytes = length - 60;
        if (bytes > end - at) return -1;
        // One less than the length, which may be 2^32: checked before 1 is added.
        length = littleEndian(at, bytes);
        at += bytes;
        if (length >= end - at) return -1;
        length++;
      }
      if (length > end - at || length > outEnd - out) return -1;
      memory.copy(out, at, length);
      at += length;
      out += length;
      continue;
    }
    if ((tag & 3) == 1) {
      if (at == end) return -1;
      length = 4 + ((tag >> 2) & 7);
      offset = ((tag >> 5) << 8) | <usize>load<u8>(at++);
    } else if ((tag & 3) == 2) {
      if (end - at < 2) return -1;
      offset = <usize>load<u16>(at);
      at += 2;
    } else {
      if (end - at < 4) return -1;
      offset = <usize>load<u32>(at);
      at += 4;
    }
    if (offset == 0 || offset > out - start || length > outEnd - out) return -1;
    const from = out - offset;
    if (offset >= 16) {
      v128.store(out, v128.load(from));
      if (length > 16) {
        v128.store(out, v128.load(from, 16), 16);
        if (length > 32) {
          v128.store(out, v128.load(from, 32), 32);
          v128.store(out, v128.load(from, 48), 48);
        }
      }
    } else {
      for (let i: usize = 0; i < length; i++) store<u8>(out + i, load<u8>(from + i));
    }
    out += length;
  }
  return out == outEnd ? <i32>declared : -1;
}

// @ts-ignore: decorator
@inline
function littleEndian(at: usize, count: usize): usize {
  let value: usize = 0;
  for (let i: usize = 0; i < count; i++) value |= (<usize>load<u8>(at + i)) << (8 * i);
  return value;
}
