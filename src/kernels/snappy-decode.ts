/**
 * Decodes a snappy block (the format without framing) from one place of memory to another. TypeScript twin of the
 * decoder in `assembly/`, which copies 16 bytes at a time and may for that write up to 64 bytes behind
 * the result.
 *
 * block   = declared length varint of at most 32 bits | element*
 * element = literal   tag xxxxxx00: length - 1, or 60 … 63: in the next 1 … 4 bytes | bytes
 *         | copy      tag xxxyyy01 byte: length - 4 in yyy, offset xxx << 8 | byte
 *         | copy      tag xxxxxx10 u16: length - 1, offset
 *         | copy      tag xxxxxx11 u32: length - 1, offset
 */

export const snappySlackBytes = 256;

/** Decodes all of `source` to the begin of `target`; returns the number of bytes, -1 where it is no block that fits. */
export function snappyDecode(source: Uint8Array, target: Uint8Array): number {
  const end = source.length;
  let declared = 0;
  let at = 0;
  for (let scale = 1; ; scale *= 128) {
    if (at === end || at === 5) return -1;
    const byte = source[at++];
    declared += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (declared > target.length) return -1;
  let out = 0;
  while (at < end) {
    const tag = source[at++];
    let length = (tag >>> 2) + 1;
    if ((tag & 3) === 0) {
      if (length > 60) {
        const bytes = length - 60;
        if (bytes > end - at) return -1;
        length = littleEndian(source, at, bytes) + 1;
        at += bytes;
      }
      if (length > end - at || length > declared - out) return -1;
      for (let i = 0; i < length; i++) target[out + i] = source[at + i];
      at += length;
    } else {
      const bytes = (tag & 3) === 3 ? 4 : tag & 3;
      if (bytes > end - at) return -1;
      let offset = littleEndian(source, at, bytes);
      at += bytes;
      if (bytes === 1) {
        offset |= (tag >>> 5) << 8;
        length = 4 + ((tag >>> 2) & 7);
      }
      if (offset === 0 || offset > out || length > declared - out) return -1;
      for (let i = 0; i < length; i++) target[out + i] = target[out + i - offset];
    }
    out += length;
  }
  return out === declared ? declared : -1;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}
