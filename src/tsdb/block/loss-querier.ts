/**
 * Stands among the queriers of a directory's blocks for what damage has taken from blocks and logs: has no series, but warns a query
 * that asks for what is missing. Which that is say the notes in the quarantine; a note that is removed ends the warnings.
 */
import { type Fs, joinPath } from "../../base/fs.ts";
import { type Loss, type QuarantineNote, readNotes } from "../../base/quarantine-note.ts";
import { Labels } from "../../model/labels.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { Querier, QueryContext, Series } from "../../storage/querier.ts";

/** What is missing, and what a query is told that asks for it. */
export interface NamedLoss extends Loss {
  readonly warning: string;
}

/** Of a log it is known that records are lost, but not always what they held. */
const logs: ReadonlySet<QuarantineNote["kind"]> = new Set(["wal", "wbl", "checkpoint"]);

export function readLosses(fs: Fs, dir: string): NamedLoss[] {
  const notes = readNotes(fs, joinPath(dir, "quarantine"));
  return [...notes].flatMap(([name, { kind, lost }]) =>
    lost.map((loss) => ({
      ...loss,
      warning: warningOf(name, kind, loss),
      // JSON has no infinity.
      mint: loss.mint ?? Number.NEGATIVE_INFINITY,
      maxt: loss.maxt ?? Number.POSITIVE_INFINITY,
    })),
  );
}

function warningOf(name: string, kind: QuarantineNote["kind"], { deletions }: Loss): string {
  const where = `on the disk (see quarantine/${name}.note.json)`;
  if (deletions) return `deleted samples may be back in this answer: the deletions were damaged ${where}`;
  return `samples ${logs.has(kind) ? "may be" : "are"} missing from this answer: they were damaged ${where}`;
}

export class LossQuerier implements Querier {
  readonly #losses: readonly NamedLoss[];

  constructor(losses: readonly NamedLoss[]) {
    this.#losses = losses;
  }

  select(context: QueryContext, matchers: readonly Matcher[], mint: number, maxt: number): readonly Series[] {
    const warnings = new Set<string>();
    for (const loss of this.#losses) {
      if (loss.mint <= maxt && mint <= loss.maxt && mayMatch(loss, matchers)) warnings.add(loss.warning);
    }
    for (const warning of warnings) context.warn?.(warning);
    return [];
  }

  labelNames(): string[] {
    return [];
  }

  labelValues(): string[] {
    return [];
  }

  close(): void {}
}

function mayMatch({ labels: pairs }: NamedLoss, matchers: readonly Matcher[]): boolean {
  if (pairs === undefined) return true;
  const labels = new Labels(pairs);
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name) ?? ""));
}
