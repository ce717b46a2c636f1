// Whether label bytes are those of a series that can be created as it is: src/kernels/usual-labels.ts.

const LABEL_TAG: u32 = 0x0a;
const NAME_TAG: u32 = 0x0a;
const VALUE_TAG: u32 = 0x12;
/** "__name__". */
const METRIC_NAME: u64 = 0x5f5f656d616e5f5f;

/** Where the content begins whose length contentEnd read. */
export let contentStart: usize = 0;

/** The end of the content whose length stands at `at`; 0 where that is no length of less than 2^28 that fits. */
// @ts-ignore: decorator
@inline
export function contentEnd(at: usize, end: usize): usize {
  if (at < end) {
    const byte = <usize>load<u8>(at);
    if (byte < 0x80) {
      contentStart = at + 1;
      return byte <= end - at - 1 ? at + 1 + byte : 0;
    }
  }
  return longContentEnd(at, end);
}

function longContentEnd(at: usize, end: usize): usize {
  let length: usize = 0;
  for (let shift: usize = 0; shift < 28; shift += 7) {
    if (at >= end) return 0;
    const byte = <usize>load<u8>(at++);
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      contentStart = at;
      return length <= end - at ? at + length : 0;
    }
  }
  return 0;
}

/** Whether the bytes are label fields in canonical form, UTF-8, with a metric name. */
export function areUsualLabels(start: usize, end: usize): bool {
  let hasMetricName = false;
  let previousStart: usize = 0;
  let previousEnd: usize = 0;
  for (let at = start; at < end; ) {
    if (<u32>load<u8>(at) != LABEL_TAG) return false;
    const labelEnd = shortestEnd(at + 1, end);
    if (labelEnd == 0 || labelEnd == contentStart || <u32>load<u8>(contentStart) != NAME_TAG) return false;
    const nameEnd = shortestEnd(contentStart + 1, labelEnd);
    const nameStart = contentStart;
    if (nameEnd <= nameStart || nameEnd == labelEnd || <u32>load<u8>(nameEnd) != VALUE_TAG) return false;
    if (shortestEnd(nameEnd + 1, labelEnd) != labelEnd || contentStart == labelEnd) return false;
    if (!isUtf8(nameStart, nameEnd) || !isUtf8(contentStart, labelEnd)) return false;
    if (previousEnd > 0 && !isBefore(previousStart, previousEnd, nameStart, nameEnd)) return false;
    hasMetricName = hasMetricName || (nameEnd - nameStart == 8 && load<u64>(nameStart) == METRIC_NAME);
    previousStart = nameStart;
    previousEnd = nameEnd;
    at = labelEnd;
  }
  return hasMetricName;
}

/** As contentEnd, for lengths in their shortest form. */
function shortestEnd(at: usize, end: usize): usize {
  const found = contentEnd(at, end);
  return found != 0 && contentStart > at + 1 && load<u8>(contentStart - 1) == 0 ? 0 : found;
}

function isBefore(aStart: usize, aEnd: usize, bStart: usize, bEnd: usize): bool {
  const length = min<usize>(aEnd - aStart, bEnd - bStart);
  for (let i: usize = 0; i < length; i++) {
    const a = load<u8>(aStart + i);
    const b = load<u8>(bStart + i);
    if (a != b) return a < b;
  }
  return aEnd - aStart < bEnd - bStart;
}

/** RFC 3629: neither surrogates nor longer forms than needed. */
function isUtf8(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    if (at + 8 <= end && (load<u64>(at) & 0x8080808080808080) == 0) {
      at += 8;
      continue;
    }
    const byte = <u32>load<u8>(at++);
    if (byte < 0x80) continue;
    if (byte < 0xc2 || byte > 0xf4) return false;
    const more: usize = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (more > end - at) return false;
    const low: u32 = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    const high: u32 = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    const second = <u32>load<u8>(at);
    if (second < low || second > high) return false;
    for (let i: usize = 1; i < more; i++) if ((load<u8>(at + i) & 0xc0) != 0x80) return false;
    at += more;
  }
  return true;
}
