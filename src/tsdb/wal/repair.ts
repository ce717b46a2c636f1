/**
 * Cuts a damaged WAL (or checkpoint) so that it is whole again: everything from the first damaged record on is taken
 * out, as Prometheus does, because later records may depend on what is lost. Unlike Prometheus, which deletes it, we
 * keep what is taken out.
 *
 * Order: copy the damaged segment's rest aside → sync → move later segments aside, last one first → sync directory →
 * cut the damaged segment and fill its page → sync. After a crash at any point the next start repairs again.
 */
import type { Fs } from "../../base/fs.ts";
import { copyAside, type SetAside, setAside } from "../../base/set-aside.ts";
import { listSegments, pageBytes, type WalCorruptionError } from "./segment.ts";

/** `dir` holds the damaged segment. Returns what was set aside in `quarantineDir`. */
export function repairSegments(
  fs: Fs,
  dir: string,
  damage: WalCorruptionError,
  quarantineDir: string,
): SetAside[] {
  const { segment, recordStart } = damage;
  const asideName = (path: string) => path.split("/").slice(-2).join("-");
  const aside = [
    copyAside(
      fs,
      segment.path,
      recordStart,
      quarantineDir,
      `${asideName(segment.path)}-from-${recordStart}`,
      damage.message,
    ),
  ];
  const later = listSegments(fs, dir).filter(({ index }) => index > segment.index);
  for (const { path } of later.reverse()) {
    aside.push(
      setAside(fs, path, quarantineDir, asideName(path), `it comes after the damage in ${segment.path}`),
    );
    fs.syncDir(dir);
  }
  const file = fs.open(segment.path, "write");
  try {
    file.truncate(recordStart);
    const inPage = recordStart % pageBytes;
    if (inPage > 0) file.writeAt(new Uint8Array(pageBytes - inPage), recordStart);
    file.sync();
  } finally {
    file.close();
  }
  return aside;
}
