/**
 * A file in which an uploader says which blocks it has uploaded, as Thanos's sidecar keeps it: `{"version": 1, "uploaded":
 * ["01H…", …]}`. Blocks cut from the head wait for it before they are compacted away.
 */

import { decodeUtf8 } from "../../base/bytes.ts";
import type { Logger } from "../../base/env.ts";
import type { Fs } from "../../base/fs.ts";
import type { BlockMeta } from "../block/meta.ts";

/**
 * The blocks that may be compacted: in order of age up to the first that waits for its upload, so that what is uploaded
 * has no gaps. All of them where the file cannot be read, as Prometheus decides.
 */
export function withoutPendingUploads<T extends { readonly name: string; readonly meta: BlockMeta }>(
  { fs, logger }: { readonly fs: Pick<Fs, "readFile">; readonly logger: Logger },
  path: string,
  blocks: readonly T[],
): readonly T[] {
  const uploaded = readUploaded(fs, logger, path);
  if (uploaded === undefined) return blocks;
  const byAge = [...blocks].sort((a, b) => (a.name < b.name ? -1 : 1));
  const pending = byAge.findIndex(({ meta }) => meta.compaction.level <= 1 && !uploaded.has(meta.ulid));
  return pending < 0 ? byAge : byAge.slice(0, pending);
}

function readUploaded(
  fs: Pick<Fs, "readFile">,
  logger: Logger,
  path: string,
): ReadonlySet<unknown> | undefined {
  try {
    const { uploaded } = JSON.parse(decodeUtf8(fs.readFile(path))) as { uploaded?: unknown };
    return new Set(Array.isArray(uploaded) ? uploaded : []);
  } catch (error) {
    logger.warn(
      "The file that lists the uploaded blocks cannot be read: compaction does not wait for uploads until it can",
      { path, err: (error as Error).message },
    );
    return undefined;
  }
}
