// One directory, one owner: the lock as a running Prometheus and a running Narthex see it, both ways, and after kill -9.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";

type Kind = "narthex" | "prometheus";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "narthex-owner-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function cleanStart(url: string): Promise<string | undefined> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return /^prometheus_tsdb_clean_start (.*)$/m.exec(page)?.[1];
}

/** Starts a server that is expected to refuse; resolves to its exit code and what it logged. */
async function refusal(kind: Kind, dir: string): Promise<{ code: number | null; log: string }> {
  const home = mkdtempSync(join(root, "second-"));
  const flags = [`--storage.tsdb.path=${join(dir, "data")}`];
  const second = await startServer(kind, home, { flags, wait: false, port: await freePort() });
  const { code } = (await second.exited) as { code: number | null };
  return { code, log: second.log() };
}

const both = havePeers("the lock, both ways", "prometheus");
const pairs: [Kind, Kind][] = both
  ? [
      ["narthex", "narthex"],
      ["narthex", "prometheus"],
      ["prometheus", "narthex"],
    ]
  : [["narthex", "narthex"]];

describe.each(pairs)("%s runs, %s comes", (first, second) => {
  test("the second is refused, and the first goes on", async () => {
    const dir = join(root, `${first}-${second}`);
    const owner = await startServer(first, dir);
    try {
      const { code, log } = await refusal(second, dir);
      expect(code).not.toBe(0);
      if (second === "narthex") expect(log).toMatch(/is in use: another Prometheus or Narthex holds .*lock/);
      else expect(log).toMatch(/lock DB directory/);
      expect((await fetch(`${owner.url}/-/ready`)).status).toBe(200);
      expect(await cleanStart(owner.url)).toBe("1");
      await owner.stop();
      const next = await startServer(second, dir);
      expect(await cleanStart(next.url)).toBe("1");
      await next.stop();
    } finally {
      await owner.kill();
    }
  });

  test("what a kill -9 leaves behind is no obstacle, and shows", async () => {
    const dir = join(root, `${first}-${second}-killed`);
    const owner = await startServer(first, dir);
    await owner.kill();
    expect(existsSync(join(dir, "data", "lock"))).toBe(true);
    const next = await startServer(second, dir);
    try {
      expect(await cleanStart(next.url)).toBe("0");
      expect(next.log()).toContain("A lockfile from a previous execution already existed. It was replaced");
    } finally {
      await next.stop();
    }
    expect(existsSync(join(dir, "data", "lock"))).toBe(false);
  });
});

test("without a lock, because that is asked for or because there is no flock", async () => {
  const asked = await startServer("narthex", join(root, "no-lock"), {
    flags: ["--storage.tsdb.no-lockfile"],
  });
  try {
    expect(await cleanStart(asked.url)).toBe("-1");
    expect(existsSync(join(root, "no-lock", "data", "lock"))).toBe(false);
  } finally {
    await asked.stop();
  }
  const missing = await startServer("narthex", join(root, "no-flock"), {
    env: { PATH: "/nowhere" },
    flags: ["--no-storage.tsdb.no-lockfile"],
  });
  try {
    expect(await cleanStart(missing.url)).toBe("-1");
    expect(missing.log()).toMatch(/could not be locked.*flock \(util-linux\) is needed/);
  } finally {
    await missing.stop();
  }
});
