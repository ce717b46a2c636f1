/**
 * What a Prometheus leaves beside the WAL that would contradict it once we have written:
 *
 * - `chunk_snapshot.SEGMENT.OFFSET/` (feature `memory-snapshot-on-shutdown`): the head as of a WAL position. A Prometheus
 *   that is started after us would load it and skip what lies before.
 * - `wal/series_state.json` (3.11 and later): the highest series ref of a clean shutdown. A Prometheus that is started
 *   after us would hand out refs that we have given to other series.
 *
 * Both only make a start quicker; everything in them is in the WAL and in `chunks_head` too. They are moved aside before
 * our first write.
 */
import type { Logger } from "../../base/env.ts";
import { type Fs, joinPath } from "../../base/fs.ts";
import { type SetAside, setAside } from "../../base/set-aside.ts";

const reason = "Prometheus's start-up state; it would be out of date after our first write";

/** `dataDir` is the directory that has the WAL in `wal/`. Each thing that is moved is logged. */
export function setForeignStateAside(
  env: { readonly fs: Fs; readonly logger: Logger },
  dataDir: string,
  quarantineDir: string,
): SetAside[] {
  const { fs, logger } = env;
  const aside: SetAside[] = [];
  const move = (dir: string, isForeign: (name: string) => boolean) => {
    if (fs.stat(dir) === undefined) return;
    const names = fs.list(dir).filter(isForeign);
    for (const name of names) aside.push(setAside(fs, joinPath(dir, name), quarantineDir, name, reason));
    if (names.length > 0) fs.syncDir(dir);
  };
  move(dataDir, (name) => name.startsWith("chunk_snapshot."));
  move(joinPath(dataDir, "wal"), (name) => name.startsWith("series_state.json"));
  for (const { from, to } of aside) {
    logger.info("Moved a file of Prometheus aside that our writes make out of date", {
      file: from,
      movedTo: to,
    });
  }
  return aside;
}
