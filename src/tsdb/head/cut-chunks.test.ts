// Chunks on their way to the files: what must not happen to the chain that they leave.
import { expect, test } from "vitest";
import { append, testHead } from "../../../test/head/fixture.ts";
import { BugError } from "../../base/assert.ts";
import { Chunk, Series } from "../../kernels/head-layout.ts";
import { seriesRecord } from "./memory.ts";

const t0 = 1_700_000_000_000;

test("a written chunk that is missing in its chain is a bug, not a search without end", () => {
  const { appender, head, memory, chunks } = testHead({ samplesPerChunk: 8 }, { pages: 256 });
  chunks.failing = true;
  for (let k = 0; k < 20; k++) append(appender, [[{ job: "x" }, t0 + k * 1000, k]]);
  expect(head.cuts.waiting).toBeGreaterThan(0);
  const { words } = memory;
  words[words[seriesRecord(words, 1) + Series.open] + Chunk.older] = 0;
  chunks.failing = false;
  expect(() => head.cuts.persist()).toThrow(BugError);
});
