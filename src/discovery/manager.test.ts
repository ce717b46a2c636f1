import { beforeEach, expect, test } from "vitest";
import { encodeUtf8 } from "../base/bytes.ts";
import type { Fs } from "../base/fs.ts";
import type { FileSdConfig, StaticConfig } from "../config/config.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { RecordingLogger } from "../testkit/recording-logger.ts";
import { DiscoveryManager, type TargetSets } from "./manager.ts";
import { silentDiscoveryObserver } from "./observer.ts";

let clock: ManualClock;
let fs: Fs;
let logger: RecordingLogger;
let published: TargetSets[];
let reads: string[];
let manager: DiscoveryManager;

beforeEach(() => {
  clock = new ManualClock();
  fs = new MemFs();
  fs.makeDir("/sd");
  logger = new RecordingLogger();
  published = [];
  reads = [];
  const observer = { ...silentDiscoveryObserver, fileRead: (path: string) => void reads.push(path) };
  manager = new DiscoveryManager({ clock, fs, logger, observer }, (sets) => published.push(sets));
});

function write(path: string, text: string): void {
  const file = fs.open(path, "replace");
  file.writeAt(encodeUtf8(text), 0);
  file.close();
}

const job = (jobName: string, files: string[], fixed: StaticConfig[] = []) => ({
  jobName,
  fileSdConfigs: files.length === 0 ? [] : [{ files, refreshIntervalMs: 60_000 } satisfies FileSdConfig],
  staticConfigs: fixed,
});

/** The addresses of a job's targets in the last publication. */
const addresses = (name: string) =>
  published
    .at(-1)
    ?.get(name)
    ?.flatMap((group) => group.targets.map((target) => target.__address__));

test("static and file targets together, with their labels and where they came from", () => {
  write("/sd/a.json", '[{"targets": ["j:1"], "labels": {"x": "y"}}, {"targets": ["j:2", "j:3"]}]');
  write("/sd/b.yml", "- targets: ['y:1']\n  labels: {n: 5}\n");
  manager.apply([
    job("j", ["/sd/*.json", "/sd/b.yml"], [{ targets: ["s:1"], labels: { l: "v" } }]),
    job("k", []),
  ]);
  expect(published).toEqual([
    new Map([
      [
        "j",
        [
          {
            source: "/sd/a.json:0",
            targets: [{ __address__: "j:1" }],
            labels: { x: "y", __meta_filepath: "/sd/a.json" },
          },
          {
            source: "/sd/a.json:1",
            targets: [{ __address__: "j:2" }, { __address__: "j:3" }],
            labels: { __meta_filepath: "/sd/a.json" },
          },
          {
            source: "/sd/b.yml:0",
            targets: [{ __address__: "y:1" }],
            labels: { n: "5", __meta_filepath: "/sd/b.yml" },
          },
          { source: "0", targets: [{ __address__: "s:1" }], labels: { l: "v" } },
        ],
      ],
      ["k", []],
    ]),
  ]);
});

test("files are read again when they change, appear or vanish, and otherwise left alone", () => {
  write("/sd/a.json", '[{"targets": ["a"]}]');
  manager.apply([job("j", ["/sd/*.json"])]);
  clock.advance(50_000);
  expect([published.length, reads.length]).toEqual([1, 1]);
  write("/sd/a.json", '[{"targets": ["a", "b"]}]');
  clock.advance(5000);
  expect(addresses("j")).toEqual(["a", "b"]);
  write("/sd/b.json", '[{"targets": ["c"]}]');
  clock.advance(5000);
  expect(addresses("j")).toEqual(["a", "b", "c"]);
  fs.removeFile("/sd/a.json");
  clock.advance(5000);
  expect(addresses("j")).toEqual(["c"]);
  const before = reads.length;
  clock.advance(60_000);
  expect(reads.length).toBe(before + 1);
  expect(published.length).toBe(4);
});

test.each([
  ["no JSON", "a.json", "{"],
  ["no list", "a.json", '{"targets": []}'],
  ["an unknown key", "a.json", '[{"target": ["x"]}]'],
  ["a label that is no text", "a.json", '[{"targets": ["x"], "labels": {"a": 1}}]'],
  ["an empty label name", "a.json", '[{"targets": ["x"], "labels": {"": "1"}}]'],
  ["an empty group", "a.json", "[null]"],
  ["no YAML", "a.yml", "- targets: [x"],
  ["an unknown YAML key", "a.yml", "- target: [x]"],
  ["an empty YAML group", "a.yml", "-"],
  ["bytes that are no UTF-8", "a.yml", "\ud800"],
])("a file with %s keeps its last targets, and is forgiven", (_, name, bad) => {
  const good = (host: string) =>
    name.endsWith(".json") ? `[{"targets": ["${host}"]}]` : `- targets: [${host}]`;
  write(`/sd/${name}`, good("one"));
  manager.apply([job("j", ["/sd/*.json", "/sd/*.yml"])]);
  if (bad === "\ud800") {
    const file = fs.open(`/sd/${name}`, "replace");
    file.writeAt(new Uint8Array([0x2d, 0x20, 0xff]), 0);
    file.close();
  } else write(`/sd/${name}`, bad);
  clock.advance(5000);
  expect(addresses("j")).toEqual(["one"]);
  expect(logger.lines).toMatchObject([{ level: "error", fields: { path: `/sd/${name}` } }]);
  write(`/sd/${name}`, good("two"));
  clock.advance(5000);
  expect(addresses("j")).toEqual(["two"]);
});

test("a bad file that was never good has no targets; the others are not affected", () => {
  write("/sd/a.json", "nonsense");
  write("/sd/b.json", '[{"targets": ["b"]}]');
  manager.apply([job("j", ["/sd/*.json"])]);
  expect(addresses("j")).toEqual(["b"]);
});

test("jobs with the same files share one discovery; it ends with the last of them", () => {
  write("/sd/a.json", '[{"targets": ["a"]}]');
  manager.apply([job("j", ["/sd/a.json"]), job("k", ["/sd/a.json"])]);
  expect([addresses("j"), addresses("k"), reads.length, clock.pending]).toEqual([["a"], ["a"], 1, 1]);
  manager.apply([job("k", ["/sd/a.json"])]);
  expect([addresses("j"), addresses("k"), reads.length, clock.pending]).toEqual([undefined, ["a"], 1, 1]);
  manager.apply([job("k", [])]);
  expect([addresses("k"), clock.pending]).toEqual([[], 0]);
});

test("stopping ends all looking", () => {
  write("/sd/a.json", '[{"targets": ["a"]}]');
  manager.apply([job("j", ["/sd/a.json"])]);
  manager.stop();
  write("/sd/a.json", '[{"targets": ["b"]}]');
  clock.advance(600_000);
  expect([published.length, clock.pending]).toEqual([1, 0]);
});
