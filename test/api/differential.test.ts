/** The table of cases.ts asked of a real Prometheus: what we take for its answers must be its answers. */

import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { havePeers } from "../peers/find.ts";
import { type Case, cases } from "./cases.ts";

const peers = havePeers("the API's answers against Prometheus", "prometheus");

/** Without fetch, which would clean the path and follow redirects. */
function ask(
  port: number,
  { method, path, form }: Case,
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const asked = request(
      { host: "127.0.0.1", port, method, path: encodeSpaces(path), headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({ status: answer.statusCode, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(form);
  });
}

const encodeSpaces = (path: string) => path.replaceAll(" ", "%20");

describe.skipIf(!peers)("Prometheus answers", () => {
  let dir: string;
  let prometheus: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-api-"));
    prometheus = await startServer("prometheus", dir);
  });
  afterAll(async () => {
    await prometheus?.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  const same = cases.filter(({ differs }) => differs === undefined);
  test.each(same.map((row): [string, Case] => [`${row.method} ${row.path}`, row]))("%s", async (_, row) => {
    const { status, body } = row;
    expect(await ask(prometheus.port, row)).toEqual({ status, body });
  });

  const others = cases.filter(({ differs }) => differs !== undefined);
  test.each(
    others.map((row): [string, Case] => [`${row.method} ${row.path}: ${row.differs}`, row]),
  )("otherwise to %s", async (_, row) => {
    const { status, body } = row;
    expect(await ask(prometheus.port, row)).not.toEqual({ status, body });
  });
});
