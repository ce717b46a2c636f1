/**
 * Takes a page through the scanner, one window of whole lines after the other, and hands to the caller what the scanner
 * cannot do itself. The window is small so that page, columns and cache stay near the processor.
 */

import type { ScrapeCache } from "./scrape-cache.ts";
import { Control, controlAddress, Status, windowAddress, windowBytes } from "./scrape-layout.ts";
import type { ScrapeMemory } from "./scrape-memory.ts";

const newline = 0x0a;

export interface PageHandler {
  /** Samples (and exemplars) lie in the columns; they are gone afterwards. */
  drain(): void;
  /**
   * The line at byte `offset` of the page is for the full parser, or the page ends there. Returns the offset of the
   * next line to scan, or -1 where the page is finished. What was scanned before has been drained.
   */
  line(offset: number): number;
  /** Reads the number in bytes [start, end) of the page into `out[0]`; false where it is none. */
  number(start: number, end: number, out: Float64Array): boolean;
}

/** Reads `page` to its end; to be called between `cache.begin()` and `cache.end()`. Throws what the handler throws. */
export function readPage(
  memory: ScrapeMemory,
  cache: ScrapeCache,
  page: Uint8Array,
  handler: PageHandler,
): void {
  let offset = 0;
  for (;;) {
    const end = fillWindow(memory, page, offset);
    if (end === windowAddress) {
      offset = handler.line(offset);
      if (offset < 0) return;
      continue;
    }
    memory.setControl(Control.position, windowAddress);
    memory.setControl(Control.end, end);
    offset = readWindow(memory, cache, offset, handler);
    if (offset < 0) return;
  }
}

/** Copies what fits; returns the address behind the last line break, `windowAddress` where there is none. */
function fillWindow(memory: ScrapeMemory, page: Uint8Array, offset: number): number {
  const { u8 } = memory;
  const size = Math.max(0, Math.min(windowBytes, page.length - offset));
  u8.set(page.subarray(offset, offset + size), windowAddress);
  // The byte behind a line decides whether it may be skipped: a NUL there is unusual.
  const behind = offset + size;
  u8[windowAddress + size] = behind < page.length ? page[behind] : newline;
  return windowAddress + u8.subarray(windowAddress, windowAddress + size).lastIndexOf(newline) + 1;
}

/** Scans the window, which begins at byte `origin` of the page; returns where to go on, -1 where the page is finished. */
function readWindow(memory: ScrapeMemory, cache: ScrapeCache, origin: number, handler: PageHandler): number {
  const windowEnd = memory.control(Control.end);
  for (;;) {
    const status = memory.scan();
    const position = memory.control(Control.position);
    if (status === Status.number && readNumberElsewhere(memory, origin, handler)) continue;
    if (status === Status.orderFull) {
      cache.growOrder();
      continue;
    }
    if (memory.control(Control.samples) > 0) drain(memory, handler);
    if (status === Status.columnsFull) continue;
    if (status === Status.windowEnd) return origin + position - windowAddress;
    const start = status === Status.number ? memory.control(Control.lineStart) : position;
    const next = handler.line(origin + start - windowAddress);
    if (next < 0 || next - origin + windowAddress >= windowEnd) return next;
    memory.setControl(Control.position, next - origin + windowAddress);
  }
}

function drain(memory: ScrapeMemory, handler: PageHandler): void {
  handler.drain();
  memory.setControl(Control.samples, 0);
  memory.setControl(Control.exemplars, 0);
}

/** After Status.number: true where the scanner can go on behind the number. */
function readNumberElsewhere(memory: ScrapeMemory, origin: number, handler: PageHandler): boolean {
  const shift = origin - windowAddress;
  const start = memory.control(Control.position) + shift;
  const end = memory.control(Control.numberEnd);
  const value = new Float64Array(memory.u8.buffer, controlAddress + 4 * Control.resumeValue, 1);
  if (handler.number(start, end + shift, value)) {
    memory.setControl(Control.position, end);
    return true;
  }
  memory.setControl(Control.resumeSlot, 0);
  return false;
}
