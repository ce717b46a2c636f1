/** What is known about the samples of a storage, and whether what is found agrees with it. */
import { expect } from "vitest";

export interface Row {
  readonly i: string;
  readonly t: number;
  readonly v: number;
  /** It is a native histogram, and `v` its sum. */
  readonly isHistogram?: boolean;
  /** It comes out of order: into the WBL. */
  readonly isLate?: boolean;
}

/** By label set: time and the bits of the value. */
export type Found = Readonly<Record<string, readonly (readonly [number, bigint])[]>>;

/** Samples that were deleted, by hand or for their age. */
export interface Deletion {
  readonly covers: (row: Row) => boolean;
  /** Whether they must be gone: the deletion was acknowledged. Otherwise each may be there or not. */
  done: boolean;
}

export class Knowledge {
  /** In the order of their acknowledgement; those in order ascend in time. */
  readonly acknowledged: Row[] = [];
  /** The batch of which nobody knows. */
  pending: readonly Row[] = [];
  /** Batches that were refused in a way that may have left them in the log. */
  readonly doubtful: Row[] = [];
  readonly deletions: Deletion[] = [];
  /** How many of `acknowledged` were there when the WAL was last synced, and when the WBL was. */
  synced = 0;
  syncedLate = 0;

  /** Everything is on the disk. */
  syncAll(): void {
    this.synced = this.acknowledged.length;
    this.syncedLate = this.acknowledged.length;
  }

  copy(): Knowledge {
    const copy = new Knowledge();
    copy.acknowledged.push(...this.acknowledged);
    copy.pending = this.pending;
    copy.doubtful.push(...this.doubtful);
    copy.deletions.push(...this.deletions.map((deletion) => ({ ...deletion })));
    copy.synced = this.synced;
    copy.syncedLate = this.syncedLate;
    return copy;
  }
}

/**
 * `whole`: everything acknowledged must be there. `prefix`: of what either log had a beginning, with at least what was
 * synced. `synced`: what was synced, and of the rest whatever is left.
 */
export type Demand = "whole" | "prefix" | "synced";

const bits = new BigUint64Array(1);
const double = new Float64Array(bits.buffer);
const line = (i: string, t: number, value: bigint) => `${i} ${t} ${value.toString(16)}`;

function lineOf({ i, t, v }: Row): string {
  double[0] = v;
  return line(`{i="${i}"}`, t, bits[0]);
}

/** Throws unless what is found is what may be. */
export function check(found: Found, known: Knowledge, demand: Demand, what: string): void {
  const lines = Object.entries(found).flatMap(([i, samples]) => samples.map(([t, v]) => line(i, t, v)));
  const shown = new Set(lines);
  if (shown.size !== lines.length) expect.fail(`${what}: a sample is there twice`);
  const deletedBy = (row: Row) => known.deletions.filter(({ covers }) => covers(row));
  const missing: string[] = [];
  /** Of the WAL and of the WBL. */
  const firstMissing = [known.acknowledged.length, known.acknowledged.length];
  known.acknowledged.forEach((row, at) => {
    const text = lineOf(row);
    const log = row.isLate === true ? 1 : 0;
    const deletions = deletedBy(row);
    // A deletion is a record of the log too: where its end may be lost, what was deleted may be there again.
    if (demand === "whole" && deletions.some(({ done }) => done) && shown.has(text))
      expect.fail(`${what}: deleted, but there: ${text}`);
    if (deletions.length > 0) return;
    if (!shown.has(text)) {
      firstMissing[log] = Math.min(firstMissing[log], at);
      missing.push(text);
    } else if (at > firstMissing[log] && demand === "prefix") {
      expect.fail(`${what}: ${text} is there, earlier ones are not: ${missing[0]}`);
    }
  });
  const wasSynced = firstMissing[0] < known.synced || firstMissing[1] < known.syncedLate;
  const lost = demand === "whole" || wasSynced ? missing : [];
  if (lost.length > 0)
    expect.fail(`${what}: ${lost.length} missing, of ${known.acknowledged.length}: ${lost.slice(0, 5)}`);
  const written = new Set([...known.acknowledged, ...known.pending, ...known.doubtful].map(lineOf));
  const strange = lines.filter((text) => !written.has(text));
  if (strange.length > 0) expect.fail(`${what}: nobody wrote ${strange.slice(0, 5)}`);
}
