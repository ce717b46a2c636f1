/**
 * The note beside each thing in `quarantine/`: `<name>.note.json` says where it was, what was wrong, and which series and
 * times it held that are missing from answers since. People read it, and queries, which warn about what is missing.
 */
import { decodeUtf8, encodeUtf8 } from "./bytes.ts";
import { type Fs, joinPath } from "./fs.ts";
import { replaceFile } from "./replace-file.ts";

export const noteSuffix = ".note.json";

/** What is missing. Times are milliseconds, both inclusive. */
export interface Loss {
  /** The series' labels as text, `{a="b"}`; "" where they are not known, or all that the file held is meant. */
  readonly series: string;
  readonly mint: number;
  readonly maxt: number;
  /** The same as pairs of name and value, where they are known. */
  readonly labels?: readonly string[];
  /** What it was: "a chunk of 120 samples" … */
  readonly what: string;
  /** Deletions are missing: what they deleted may be back. */
  readonly deletions?: boolean;
}

export interface QuarantineNote {
  readonly kind: "block" | "wal" | "wbl" | "checkpoint" | "chunks_head";
  /** Where it was, relative to nothing: as the server opened it. */
  readonly from: string;
  /** All that was found wrong. */
  readonly problems: readonly string[];
  readonly lost: readonly Loss[];
  /** What it had in it, where that is not lost, because it is elsewhere too. */
  readonly held?: readonly Loss[];
  /** The name of the block that has what could be saved; "" where there is none. */
  readonly replacedBy: string;
}

/** Lists in a note are cut off here: they are for people, and queries only need the times. */
const listMax = 1000;

/** Writes the note for `path`, which lies in the quarantine, durably; it replaces one that was there. */
export function writeNote(fs: Fs, path: string, note: QuarantineNote): void {
  const { lost, held } = note;
  const whole = { ...note, lost: summed(lost), held: held === undefined ? undefined : summed(held) };
  const slash = path.lastIndexOf("/");
  const name = `${path.slice(slash + 1)}${noteSuffix}`;
  replaceFile(fs, path.slice(0, slash), name, encodeUtf8(`${JSON.stringify(whole, undefined, 2)}\n`));
}

function summed(list: readonly Loss[]): readonly Loss[] {
  const rest = list.slice(listMax);
  if (rest.length === 0) return list;
  const mint = rest.reduce((least, one) => Math.min(least, one.mint), Number.POSITIVE_INFINITY);
  const maxt = rest.reduce((most, one) => Math.max(most, one.maxt), Number.NEGATIVE_INFINITY);
  return [...list.slice(0, listMax), { series: "", mint, maxt, what: `${rest.length} more` }];
}

/** All notes in the quarantine; those that cannot be read are passed over: they are for people. */
export function readNotes(fs: Fs, quarantineDir: string): ReadonlyMap<string, QuarantineNote> {
  const notes = new Map<string, QuarantineNote>();
  if (fs.stat(quarantineDir) === undefined) return notes;
  for (const name of fs.list(quarantineDir)) {
    if (!name.endsWith(noteSuffix)) continue;
    const note = readNote(fs, joinPath(quarantineDir, name));
    if (note !== undefined) notes.set(name.slice(0, -noteSuffix.length), note);
  }
  return notes;
}

function readNote(fs: Fs, path: string): QuarantineNote | undefined {
  try {
    const note = JSON.parse(decodeUtf8(fs.readFile(path))) as QuarantineNote;
    const isWhole =
      Array.isArray(note.problems) &&
      Array.isArray(note.lost) &&
      note.lost.every(({ mint, maxt, series }) => isTime(mint) && isTime(maxt) && typeof series === "string");
    return isWhole ? note : undefined;
  } catch {
    return undefined;
  }
}

/** null stands for a time without bound: JSON has no infinity. */
function isTime(value: unknown): boolean {
  return value === null || typeof value === "number";
}
