/**
 * Says in the notes of damaged `chunks_head` files what they held, by series, and what of it is lost. The log has the same
 * samples, so that is only what the head lacks once the log has been replayed.
 */
import { type Fs, joinPath } from "../base/fs.ts";
import { type Loss, readNotes, writeNote } from "../base/quarantine-note.ts";
import type { SetAside } from "../base/set-aside.ts";
import { headChunksNote } from "./chunks/head-chunk-scan.ts";
import { type LegibleChunk, legibleChunks } from "./chunks/legible-chunks.ts";
import { countSamples } from "./head/count-samples.ts";
import type { Head } from "./head/head.ts";
import type { ChunkStore } from "./head/head-log.ts";

/** The head after a replay. */
export interface ReplayedHead {
  readonly head: Head;
  readonly store: ChunkStore;
  /** 0 where there is no such series. */
  readonly refOf: (walRef: number) => number;
}

/** Whose notes do not say yet what they held: an offline repair does not know it, and a start may have been killed. */
export function unjudged(fs: Fs, quarantineDir: string): SetAside[] {
  const found: SetAside[] = [];
  for (const [name, { kind, held, from, problems }] of readNotes(fs, quarantineDir)) {
    const to = joinPath(quarantineDir, name);
    if (kind !== "chunks_head" || held !== undefined || fs.stat(to) === undefined) continue;
    found.push({ from, to, reason: problems[0] ?? "" });
  }
  return found;
}

export function noteHeadChunks(fs: Fs, setAside: readonly SetAside[], replayed: ReplayedHead): void {
  for (const one of setAside) {
    const chunks = legibleChunks(fs, one.to);
    const held = [...bySeries(chunks)].map(([walRef, own]) => heldBy(replayed, walRef, own));
    // Samples that came late are in the WBL until a block has them.
    const lost = chunks.filter((chunk) => !chunk.outOfOrder && isLost(replayed, chunk));
    const losses = lost.map((chunk) => lossOf(replayed, chunk));
    writeNote(fs, one.to, headChunksNote(one, losses, held));
  }
}

function bySeries(chunks: readonly LegibleChunk[]): Map<number, LegibleChunk[]> {
  const groups = new Map<number, LegibleChunk[]>();
  for (const chunk of chunks) {
    const group = groups.get(chunk.walRef);
    if (group === undefined) groups.set(chunk.walRef, [chunk]);
    else group.push(chunk);
  }
  return groups;
}

function heldBy(replayed: ReplayedHead, walRef: number, chunks: readonly LegibleChunk[]): Loss {
  return {
    ...seriesOf(replayed, walRef),
    mint: chunks.reduce((least, { mint }) => Math.min(least, mint), Number.POSITIVE_INFINITY),
    maxt: chunks.reduce((most, { maxt }) => Math.max(most, maxt), Number.NEGATIVE_INFINITY),
    what: `${chunks.length} chunks, ${chunks.reduce((sum, { samples }) => sum + samples, 0)} samples`,
  };
}

function lossOf(replayed: ReplayedHead, { walRef, mint, maxt, samples }: LegibleChunk): Loss {
  return { ...seriesOf(replayed, walRef), mint, maxt, what: `of a chunk of ${samples} samples` };
}

function seriesOf({ head, refOf }: ReplayedHead, walRef: number): Pick<Loss, "series" | "labels"> {
  const ref = refOf(walRef);
  if (ref === 0) return { series: "" };
  const labels = head.labels(ref);
  return { series: labels.toString(), labels: labels.pairs };
}

/** What ends before the head begins is in blocks. */
function isLost(
  { head, store, refOf }: ReplayedHead,
  { walRef, mint, maxt, samples }: LegibleChunk,
): boolean {
  if (maxt < head.minValidTime) return false;
  const ref = refOf(walRef);
  if (ref === 0) return true;
  // How much of a chunk that reaches into the blocks is to be there is not known.
  const wanted = mint >= head.minValidTime ? samples : 1;
  return countSamples(head, ref, store, mint, maxt) < wanted;
}
