/**
 * Threads that die: the built server loses its query thread or its writer and goes on. Threads are ended from inside by
 * a module that this test loads into the server, so that the server itself carries no way to do it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../../bench/servers.mjs";
import { queryInstant, resultOf } from "../peers/query-api.ts";
import { bitsOf, remoteWrite } from "../peers/remote-write.ts";

let dir: string;
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "narthex-threads-"));
  const saboteur = join(import.meta.dirname, "saboteur.mjs");
  server = await startServer("narthex", dir, {
    flags: ["--query.max-concurrency=1"],
    env: { NODE_OPTIONS: `--import=${saboteur}` },
  });
});
afterAll(async () => {
  await server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

const now = Date.now();
const write = (t: number, value: number) =>
  remoteWrite(server.url, [{ labels: { __name__: "m" }, samples: [{ t, bits: bitsOf(value) }] }]);
const read = async () =>
  resultOf(await queryInstant(server.url, "m", now / 1000 + 100)).map(({ value }) => value?.[1]);

test("a query thread that runs out of memory is replaced; its query gets an error, the next ones answers", async () => {
  expect((await write(now, 1)).status).toBe(204);
  const greedy = await queryInstant(server.url, "# exhaust memory\nm", now / 1000);
  expect([greedy.status, greedy.body.errorType]).toEqual([422, "execution"]);
  expect(greedy.body.error).toMatch(/more memory than a query thread has/);
  // With one query thread the next query waits for the new one.
  expect(await read()).toEqual(["1"]);
  expect(server.log()).toContain("A thread ended unexpectedly and is replaced");
});

test("a query whose thread ends through no fault of its own may be asked again", async () => {
  const unlucky = await queryInstant(server.url, "# exit\nm", now / 1000);
  expect([unlucky.status, unlucky.body.errorType]).toEqual([503, "unavailable"]);
  expect(unlucky.body.error).toMatch(/query \d thread ended \(exit code 7\)/);
  expect(await read()).toEqual(["1"]);
});

test("a writer that throws is replaced; what was acknowledged is there, and writing goes on", async () => {
  expect((await write(now + 1000, 2)).status).toBe(204);
  process.kill(server.pid as number, "SIGUSR2");
  await expect.poll(async () => (await write(now + 2000, 3)).status, { timeout: 20_000 }).toBe(204);
  await expect.poll(read, { timeout: 20_000 }).toEqual(["3"]);
  const all = resultOf(await queryInstant(server.url, "m[5m]", now / 1000 + 100));
  expect(all[0].values?.map(([, v]) => v)).toEqual(["1", "2", "3"]);
});

test("a writer that dies again and again while it starts is replaced until it lives", async () => {
  const deaths = () => server.log().split("A thread ended unexpectedly").length;
  const before = deaths();
  for (let i = 0; i < 30; i++) {
    process.kill(server.pid as number, "SIGUSR2");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(deaths()).toBeGreaterThan(before + 1);
  await expect.poll(async () => (await write(now + 3000, 4)).status, { timeout: 20_000 }).toBe(204);
  expect(await read()).toEqual(["4"]);
});
