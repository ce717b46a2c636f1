/**
 * Opens the writable part of a data directory on a disk that may be full: a start needs a new segment of the WAL. Where
 * there is no room even for that, the reserve goes, and it is tried once more.
 */
import { joinPath } from "../base/fs.ts";
import { Db, type DbEnv, type DbOptions } from "./db.ts";
import { stateOf } from "./disk-guard.ts";
import { reserveFile } from "./disk-reserve.ts";

export function openDb(env: DbEnv, dir: string, options: DbOptions): Db {
  try {
    return new Db(env, dir, options);
  } catch (error) {
    const reserve = joinPath(dir, reserveFile);
    if (stateOf(error) !== "full" || env.fs.stat(reserve) === undefined) throw error;
    const err = (error as Error).message;
    env.logger.warn("The disk is full: the reserve is released, so that the server can start", { err });
    env.fs.removeFile(reserve);
    return new Db(env, dir, options);
  }
}
