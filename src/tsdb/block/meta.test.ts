import { expect, test } from "vitest";
import { encodeUtf8 } from "../../base/bytes.ts";
import { CorruptionError } from "../../base/errors.ts";
import { createFile } from "../../base/replace-file.ts";
import { MemFs } from "../../testkit/mem-fs.ts";
import { SeededRandom } from "../../testkit/seeded-random.ts";
import { decodeMeta, encodeMeta, readMeta } from "./meta.ts";
import { isUlid, newUlid } from "./ulid.ts";

/** As Prometheus 3.14 prints it. */
const text = `{
	"ulid": "01M7ZC5GGBMRWBNDTTFAVK8XZ3",
	"minTime": 1795275268877,
	"maxTime": 1795275360000,
	"stats": {
		"numSamples": 201756,
		"numFloatSamples": 201000,
		"numHistogramSamples": 756,
		"numSeries": 2495,
		"numChunks": 2495,
		"numTombstones": 3
	},
	"compaction": {
		"level": 2,
		"sources": [
			"01M7ZC5GGBMRWBNDTTFAVK8XZ3"
		],
		"deletable": true,
		"parents": [
			{
				"ulid": "01M7ZC89V1PS6A7YNFGBZYN18F",
				"minTime": -1,
				"maxTime": 5
			}
		],
		"failed": true,
		"hints": [
			"from-out-of-order"
		]
	},
	"version": 1
}`;

test("is read and printed as Prometheus prints it", () => {
  const meta = decodeMeta(encodeUtf8(text), "meta.json");
  expect(meta.compaction.parents).toEqual([{ ulid: "01M7ZC89V1PS6A7YNFGBZYN18F", minTime: -1, maxTime: 5 }]);
  expect(Buffer.from(encodeMeta(meta)).toString()).toBe(text);
});

test("empty fields are left out, and missing ones read as empty", () => {
  const short = `{
	"ulid": "01M7ZC5GGBMRWBNDTTFAVK8XZ3",
	"minTime": 0,
	"maxTime": 0,
	"stats": {},
	"compaction": {
		"level": 1
	},
	"version": 1
}`;
  const meta = decodeMeta(encodeUtf8(short), "meta.json");
  expect(meta.stats.numSamples).toBe(0);
  expect(meta.compaction).toMatchObject({
    sources: [],
    parents: [],
    hints: [],
    deletable: false,
    failed: false,
  });
  expect(Buffer.from(encodeMeta(meta)).toString()).toBe(short);
  const fs = new MemFs();
  createFile(fs, "meta.json", encodeMeta(meta));
  expect(readMeta(fs, "")).toEqual(meta);
});

test.each([
  ["not JSON", "{", /meta.json: not JSON/],
  ["no object", "[]", /\[\] where an object should be/],
  ["null", "null", /null where an object should be/],
  ["version", text.replace('"version": 1', '"version": 3'), /version 3, only version 1/],
  ["no version", '{"ulid":"01M7ZC5GGBMRWBNDTTFAVK8XZ3"}', /version 0/],
  ["ulid", text.replace("01M7ZC5GGBMRWBNDTTFAVK8XZ3", "xyz"), /"ulid" is "xyz", which is not a ULID/],
  ["time", text.replace("1795275268877", "1.5"), /"minTime" is 1.5, which is not an integer/],
  [
    "sources",
    text.replace(/"sources": \[[^\]]*\]/, '"sources": "x"'),
    /"sources" is "x", which is not a list/,
  ],
  ["parent", text.replace(/"parents": \[[^\]]*\]/, '"parents": [7]'), /7 where an object should be/],
  ["flag", text.replace('"failed": true', '"failed": 1'), /"failed" is 1, which is not true or false/],
])("refuses: %s", (_, bad, message) => {
  expect(() => decodeMeta(encodeUtf8(bad), "meta.json")).toThrow(CorruptionError);
  expect(() => decodeMeta(encodeUtf8(bad), "meta.json")).toThrow(message);
});

test("ULIDs sort by time and differ by chance", () => {
  const random = new SeededRandom(7);
  const times = [0, 1, 31, 32, 1_795_275_268_877, 2 ** 48 - 1];
  const ulids = times.map((time) => newUlid({ nowMs: () => time }, random));
  expect(ulids.every(isUlid)).toBe(true);
  expect([...ulids].sort()).toEqual(ulids);
  expect(ulids.map((ulid) => ulid.slice(0, 10))).toEqual([
    "0000000000",
    "0000000001",
    "000000000Z",
    "0000000010",
    "01M7ZBX8RD",
    "7ZZZZZZZZZ",
  ]);
  const same = Array.from({ length: 100 }, () => newUlid({ nowMs: () => 5 }, random));
  expect(new Set(same).size).toBe(100);
  expect(newUlid({ nowMs: () => 0 }, { u32: () => 0xffffffff })).toBe("0000000000ZZZZZZZZZZZZZZZZ");
});

test.each([
  "01M7ZC5GGBMRWBNDTTFAVK8XZ",
  "01M7ZC5GGBMRWBNDTTFAVK8XZ33",
  "01m7zc5ggbmrwbndttfavk8xz3",
  "81M7ZC5GGBMRWBNDTTFAVK8XZ3",
  "01M7ZC5GGBMRWBNDTTFAVK8XZU",
  "wal",
])("%s is no ULID", (name) => {
  expect(isUlid(name)).toBe(false);
});
