/** Directories of pages: { capacity, page… }, grown by copy, publish and retire. */
import { directoryHeaderWords, Purpose } from "../../kernels/head-layout.ts";
import type { Arena } from "./arena.ts";
import type { HeadMemory } from "./memory.ts";
import type { Retired } from "./retired.ts";

const capacityMin = 15;

/** An empty directory. */
export function newDirectory(memory: HeadMemory, arena: Arena): number {
  return allocDirectory(memory, arena, capacityMin);
}

/** Makes the directory that root word `at` names big enough for entry `page`; returns where it is. */
export function growDirectory(
  memory: HeadMemory,
  arena: Arena,
  retired: Retired,
  at: number,
  page: number,
): number {
  const { words } = memory;
  const directory = words[at];
  const capacity = words[directory];
  if (page < capacity) return directory;
  const bigger = allocDirectory(memory, arena, Math.max(page + 1, capacity * 2));
  const entries = directory + directoryHeaderWords;
  words.copyWithin(bigger + directoryHeaderWords, entries, entries + capacity);
  Atomics.store(words, at, bigger);
  retired.memory(directory, Purpose.directories);
  return bigger;
}

function allocDirectory(memory: HeadMemory, arena: Arena, capacity: number): number {
  const directory = arena.allocZeroed(directoryHeaderWords + capacity, Purpose.directories);
  memory.words[directory] = capacity;
  return directory;
}
