/** Whether label bytes are those of a series that can be created as it is, without reading them as text. */

const labelTag = 0x0a;
const nameTag = 0x0a;
const valueTag = 0x12;

/** Where the content begins whose length {@link contentEnd} read. */
export let contentStart = 0;

/** The end of the content whose length stands at `at`; -1 where that is no length of less than 2^28 that fits. */
export function contentEnd(bytes: Uint8Array, at: number, end: number): number {
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (at >= end) return -1;
    const byte = bytes[at++];
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      contentStart = at;
      return length <= end - at ? at + length : -1;
    }
  }
  return -1;
}

/**
 * Whether bytes[start, end) are label fields in canonical form (label-bytes.ts of the head), UTF-8, with a metric name:
 * what remote/request-labels.ts would find nothing wrong with and would not change.
 */
export function areUsualLabels(bytes: Uint8Array, start: number, end: number): boolean {
  let hasMetricName = false;
  let previousStart = 0;
  let previousEnd = 0;
  for (let at = start; at < end; ) {
    if (bytes[at] !== labelTag) return false;
    const labelEnd = shortestEnd(bytes, at + 1, end);
    if (labelEnd < 0 || labelEnd === contentStart || bytes[contentStart] !== nameTag) return false;
    const nameEnd = shortestEnd(bytes, contentStart + 1, labelEnd);
    const nameStart = contentStart;
    if (nameEnd <= nameStart || nameEnd === labelEnd || bytes[nameEnd] !== valueTag) return false;
    if (shortestEnd(bytes, nameEnd + 1, labelEnd) !== labelEnd || contentStart === labelEnd) return false;
    if (!isUtf8(bytes, nameStart, nameEnd) || !isUtf8(bytes, contentStart, labelEnd)) return false;
    if (previousEnd > 0 && !isBefore(bytes, previousStart, previousEnd, nameStart, nameEnd)) return false;
    hasMetricName ||= isMetricName(bytes, nameStart, nameEnd);
    previousStart = nameStart;
    previousEnd = nameEnd;
    at = labelEnd;
  }
  return hasMetricName;
}

/** As {@link contentEnd}, for lengths in their shortest form. */
function shortestEnd(bytes: Uint8Array, at: number, end: number): number {
  const found = contentEnd(bytes, at, end);
  return found >= 0 && contentStart > at + 1 && bytes[contentStart - 1] === 0 ? -1 : found;
}

/** "__name__". */
function isMetricName(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 8 &&
    bytes[start] === 0x5f &&
    bytes[start + 1] === 0x5f &&
    bytes[start + 2] === 0x6e &&
    bytes[start + 3] === 0x61 &&
    bytes[start + 4] === 0x6d &&
    bytes[start + 5] === 0x65 &&
    bytes[start + 6] === 0x5f &&
    bytes[start + 7] === 0x5f
  );
}

function isBefore(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    if (bytes[aStart + i] !== bytes[bStart + i]) return bytes[aStart + i] < bytes[bStart + i];
  }
  return aEnd - aStart < bEnd - bStart;
}

/** RFC 3629: neither surrogates nor longer forms than needed. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const byte = bytes[at++];
    if (byte < 0x80) continue;
    if (byte < 0xc2 || byte > 0xf4) return false;
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (more > end - at) return false;
    const low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    const high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    if (bytes[at] < low || bytes[at] > high) return false;
    for (let i = 1; i < more; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return false;
    at += more;
  }
  return true;
}
