/** More seeds from the files of real Prometheus servers and exporters, where $NARTHEX_SHARED says that there are some. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const shared = process.env.NARTHEX_SHARED ?? "";

/** The paths of the files below `dir` whose names match; none where there is no shared folder. */
export function sharedFiles(dir: string, wanted: RegExp): string[] {
  const path = join(shared, dir);
  if (shared === "" || !existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
