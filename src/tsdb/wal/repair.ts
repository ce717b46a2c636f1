/**
 * Makes a damaged WAL (or checkpoint) whole again: what was damaged leaves it, what follows stays. (Prometheus deletes
 * all that follows.) Afterwards any Prometheus reads it. Nothing is thrown away: the damaged bytes are kept in the
 * quarantine, with a note.
 *
 * Damage up to a segment's end (a torn write):
 *   copy the rest of the segment aside → sync → write the note → cut the segment, fill its page → sync.
 * Damage with sound records behind it:
 *   write those that are sound into a new segment in the quarantine → sync → link the damaged one into the quarantine →
 *   write the note → rename the new one over it → sync directory.
 * After a crash at any point the next start finds the damage again, or nothing.
 */
import type { Codecs } from "../../base/codec.ts";
import type { Fs } from "../../base/fs.ts";
import { joinPath } from "../../base/fs.ts";
import { type Loss, type QuarantineNote, writeNote } from "../../base/quarantine-note.ts";
import { copyAside, freePath, type SetAside } from "../../base/set-aside.ts";
import { pageBytes, type Segment, segmentPath, WalCorruptionError } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentWriter } from "./segment-writer.ts";

export interface RepairEnv {
  readonly fs: Fs;
  readonly codecs: Codecs;
}

/** From the start of a record that is not sound, `error.recordStart`, to `end`, where reading went on. */
export interface DamagedPlace {
  readonly error: WalCorruptionError;
  readonly end: number;
}

/** What is wrong with one segment. */
export interface SegmentDamage {
  readonly segment: Segment;
  /** In order. */
  readonly places: readonly DamagedPlace[];
  /** Whether sound records follow the last of them. */
  readonly goesOn: boolean;
}

/** Records are copied in batches of about this size. */
const batchBytes = 1024 * 1024;
/** Larger than any segment: what was one segment stays one. */
const oneSegment = 2 ** 40;
const rewrittenDir = "wal-rewritten";

/** `lost` is for the note. Returns what was set aside in `quarantineDir`. */
export function repairSegment(
  env: RepairEnv,
  damage: SegmentDamage,
  lost: readonly Loss[],
  quarantineDir: string,
): SetAside {
  const { segment, places } = damage;
  const name = segment.path.split("/").slice(-2).join("-");
  const problems = places.map(({ error }) => error.message);
  const kind = name.startsWith("checkpoint") ? "checkpoint" : name.startsWith("wbl") ? "wbl" : "wal";
  const note: QuarantineNote = { kind, from: segment.path, problems, lost, replacedBy: "" };
  return damage.goesOn || places.length > 1
    ? rewrite(env, damage, quarantineDir, name, note)
    : cut(env.fs, places[0].error, quarantineDir, name, note);
}

/** Cuts the segment before the damaged record. */
function cut(
  fs: Fs,
  error: WalCorruptionError,
  quarantineDir: string,
  name: string,
  note: QuarantineNote,
): SetAside {
  const { segment, recordStart } = error;
  const aside = copyAside(
    fs,
    segment.path,
    recordStart,
    quarantineDir,
    `${name}-from-${recordStart}`,
    error.message,
  );
  writeNote(fs, aside.to, note);
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

/** Replaces the segment by one with its sound records. */
function rewrite(
  env: RepairEnv,
  { segment, places }: SegmentDamage,
  quarantineDir: string,
  name: string,
  note: QuarantineNote,
): SetAside {
  const { fs } = env;
  const temporary = joinPath(quarantineDir, rewrittenDir);
  fs.removeDir(temporary);
  fs.makeDir(temporary);
  copySound(env, segment, new Set(places.map(({ error }) => error.recordStart)), temporary);
  const to = freePath(fs, quarantineDir, name);
  fs.link(segment.path, to);
  writeNote(fs, to, note);
  fs.rename(segmentPath(temporary, 0), segment.path);
  fs.syncDir(segment.path.slice(0, segment.path.lastIndexOf("/")));
  fs.removeDir(temporary);
  return { from: segment.path, to, reason: note.problems.join("; ") };
}

function copySound(env: RepairEnv, segment: Segment, damaged: ReadonlySet<number>, dir: string): void {
  const writer = SegmentWriter.create(env, dir, 0, {
    compression: "snappy",
    segmentBytes: oneSegment,
    finish: (file) => file.sync(),
  });
  try {
    let batch: Uint8Array[] = [];
    let bytes = 0;
    const flush = () => {
      writer.write(batch, false);
      batch = [];
      bytes = 0;
    };
    forEachRecord(env, segment, (reader) => {
      if (damaged.has(reader.start)) return;
      batch.push(reader.record.slice());
      bytes += reader.record.length;
      if (bytes > batchBytes) flush();
    });
    if (batch.length > 0) flush();
  } finally {
    writer.close();
  }
}

/**
 * Reads a segment over damaged places; `onRecord` may throw a WalCorruptionError where a record is sound but what it
 * holds is not. Begins at `offset`, the end of a record. Returns the damage, if any.
 */
export function forEachRecord(
  env: RepairEnv,
  segment: Segment,
  onRecord: (reader: SegmentReader) => void,
  offset = 0,
): SegmentDamage | undefined {
  const places: DamagedPlace[] = [];
  let goesOn = false;
  const sizeBytes = env.fs.stat(segment.path)?.sizeBytes ?? 0;
  const reader = new SegmentReader(env, segment, offset);
  try {
    for (let more = true; more; ) {
      try {
        more = reader.next();
        if (!more) break;
        onRecord(reader);
        goesOn = true;
      } catch (error) {
        if (!(error instanceof WalCorruptionError)) throw error;
        more = reader.skipDamage();
        goesOn = false;
        places.push({ error, end: more ? reader.end : sizeBytes });
      }
    }
  } finally {
    reader.close();
  }
  return places.length === 0 ? undefined : { segment, places, goesOn };
}
