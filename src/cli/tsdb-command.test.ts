// `narthex tsdb verify|repair` on real directories: exit codes, what is printed, what is changed.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { blockDir } from "../../test/tsdb/block-dir.ts";
import { chunkSource } from "../../test/tsdb/chunk-series.ts";
import { DirectoryLock } from "../node/directory-lock.ts";
import { nodeFs } from "../node/fs.ts";
import { MemFs } from "../testkit/mem-fs.ts";
import { tsdbCommand, tsdbHelp } from "./tsdb-command.ts";

let home: string;
let data: string;
let block: string;
let sound: string;
let out = "";
let err = "";

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "narthex-tsdb-command-"));
  sound = join(home, "sound");
  const memory = new MemFs();
  const series = [0, 1].map((i) => ({
    labels: { __name__: "m", i: `${i}` },
    samples: Array.from({ length: 4 }, (_, k) => [1_700_000_000_000 + 10 * k, k] as const),
  }));
  const { ulid } = blockDir(memory).write(chunkSource(series, 2), 1_700_000_000_000, 1_700_000_001_000);
  block = ulid;
  mkdirSync(join(sound, ulid, "chunks"), { recursive: true });
  for (const name of ["meta.json", "index", "tombstones", "chunks/000001"]) {
    writeFileSync(join(sound, ulid, name), memory.readFile(`data/${ulid}/${name}`));
  }
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeEach(() => {
  data = join(home, "data");
  cpSync(sound, data, { recursive: true });
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true, force: true });
});

/** Changes the data of the first chunk. */
function damage(): void {
  const path = join(data, block, "chunks/000001");
  const bytes = readFileSync(path);
  bytes[12] ^= 4;
  writeFileSync(path, bytes);
}

test.each([
  [["--help"], 0],
  [["verify", "--help"], 0],
  [[], 2],
  [["mend"], 2],
  [["verify", "--dry-run"], 2],
  [["repair", "--wet-run"], 2],
  [["verify", "a", "b"], 2],
])("%j: the usage, and exit code %i", async (args, code) => {
  expect(await tsdbCommand(args)).toBe(code);
  expect(code === 0 ? out : err).toBe(tsdbHelp);
});

test("a directory that is not there", async () => {
  expect(await tsdbCommand(["verify", join(home, "nowhere")])).toBe(2);
  expect(err).toBe(`narthex: there is no directory ${join(home, "nowhere")}\n`);
});

test("a directory that a server holds is left alone", async () => {
  const lock = new DirectoryLock(data);
  try {
    expect(await tsdbCommand(["repair", data])).toBe(2);
    expect(err).toContain(join(data, "lock"));
  } finally {
    lock.release();
  }
});

test.each(["verify", "repair"])("%s of a sound directory", async (verb) => {
  expect(await tsdbCommand([verb, `${data}/`])).toBe(0);
  expect(out).toBe("1 checked, all sound.\n");
  expect(readdirSync(data)).toEqual([block]);
});

test("verify names what is wrong and lost, and changes nothing", async () => {
  damage();
  expect(await tsdbCommand(["verify", data])).toBe(1);
  expect(out.split("\n")).toEqual([
    join(data, block),
    expect.stringMatching(/^ {2}wrong: {3}.*the checksum of a chunk does not match \(at byte 8\)$/),
    '  lost:    a chunk of {__name__="m", i="0"} from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:20.010Z',
    "1 checked, 1 damaged; nothing was changed. narthex tsdb repair repairs them.",
    "",
  ]);
  expect(readdirSync(data)).toEqual([block]);
});

test("repair --dry-run says what it would do; repair does it; then all is sound", async () => {
  damage();
  expect(await tsdbCommand(["repair", "--dry-run", data])).toBe(1);
  expect(out).toContain(
    "  would:   write the block anew with all that is sound, move the damaged one to quarantine\n",
  );
  expect(readdirSync(data)).toEqual([block]);

  out = "";
  expect(await tsdbCommand(["repair", data])).toBe(0);
  const [now] = readdirSync(data).filter((name) => name !== "quarantine");
  expect(now).not.toBe(block);
  expect(out).toContain(`  now:     ${now}\n  kept in: ${join(data, "quarantine", block)}\n`);
  expect(out).toContain("1 checked, 1 damaged and repaired.\n");
  expect(nodeFs.list(join(data, "quarantine"))).toEqual([block, `${block}.note.json`]);

  out = "";
  expect(await tsdbCommand(["verify", data])).toBe(0);
  expect(out).toBe("1 checked, all sound.\n");
});

test("on a terminal a bar shows how far it is", async () => {
  const { isTTY } = process.stderr;
  process.stderr.isTTY = true;
  try {
    expect(await tsdbCommand(["verify", data])).toBe(0);
  } finally {
    process.stderr.isTTY = isTTY;
  }
  expect(err).toBe(`\r\x1b[K[${"#".repeat(30)}] 1/1 ${join(data, block)}\r\x1b[K`);
});
