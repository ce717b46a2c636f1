import { expect, test } from "vitest";
import { encodeUtf8 } from "../../base/bytes.ts";
import { RecordingLogger } from "../../testkit/recording-logger.ts";
import type { BlockMeta } from "../block/meta.ts";
import { withoutPendingUploads } from "./upload-file.ts";

const block = (name: string, level = 1) => ({
  name,
  meta: { ulid: name, compaction: { level } } as BlockMeta,
});
const blocks = [block("D"), block("A", 2), block("C"), block("B")];

test.each([
  [["B", "C", "D"], "ABCD"],
  [["B", "D"], "AB"],
  [["C", "D"], "A"],
  [[], "A"],
])("%j uploaded: %s may be compacted", (uploaded, want) => {
  const fs = { readFile: () => encodeUtf8(JSON.stringify({ version: 1, uploaded })) };
  const logger = new RecordingLogger();
  const names = withoutPendingUploads({ fs, logger }, "f", blocks).map(({ name }) => name);
  expect(names.join("")).toBe(want);
  expect(logger.at("warn")).toEqual([]);
});

test.each([
  ["no file"],
  ["{"],
  ["null"],
])("a file that cannot be read (%s) delays nothing and is told", (text) => {
  const fs = {
    readFile() {
      if (text === "no file") throw new Error("ENOENT");
      return encodeUtf8(text);
    },
  };
  const logger = new RecordingLogger();
  expect(withoutPendingUploads({ fs, logger }, "f", blocks)).toEqual(blocks);
  expect(logger.at("warn")).toHaveLength(1);
});
