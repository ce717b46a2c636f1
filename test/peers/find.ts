/** Looks for real servers and shared test data; says loudly when they are missing. */
import { existsSync } from "node:fs";
import { findPeer } from "../../bench/servers.mjs";

/** Whether all these programs are installed; a warning names those that are not and the tests that are skipped. */
export function havePeers(tests: string, ...programs: string[]): boolean {
  const missing = programs.filter((program) => findPeer(program) === undefined);
  if (missing.length === 0) return true;
  console.warn(
    `SKIPPED: ${tests}: ${missing.join(", ")} not found; set NARTHEX_PEERS to the directory that has them.`,
  );
  return false;
}

/** The path of a piece of the shared test data; undefined, with a warning, where it is missing. */
export function sharedData(tests: string, path: string): string | undefined {
  const full = `${process.env.NARTHEX_SHARED}/${path}`;
  if (process.env.NARTHEX_SHARED && existsSync(full)) return full;
  console.warn(
    `SKIPPED: ${tests}: ${path} not found; set NARTHEX_SHARED to the directory that has the shared test data.`,
  );
  return undefined;
}

/** The program's path; throws where {@link havePeers} was not asked. */
export function peer(program: string): string {
  const path = findPeer(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  return path;
}
