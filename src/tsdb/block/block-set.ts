/**
 * The blocks of a data directory as one thread sees them. Every thread has its own set over the same directory and
 * calls {@link BlockSet.reload} when it is told that something changed, and once a minute for what appeared by itself.
 * It never writes.
 *
 * A block that cannot be read is reported and left alone; it is tried again at every reload. Blocks that others were
 * made of (their parents) are hidden from the moment their child is readable: {@link BlockSet.obsolete} lists them for
 * whoever deletes.
 */
import type { Logger } from "../../base/env.ts";
import { NarthexError } from "../../base/errors.ts";
import { joinPath } from "../../base/fs.ts";
import { mergeQueriers } from "../../storage/merge.ts";
import type { Querier, Queryable } from "../../storage/querier.ts";
import { Block, type BlockEnv } from "./block.ts";
import { BlockQuerier } from "./block-querier.ts";
import { LossQuerier, type NamedLoss, readLosses } from "./loss-querier.ts";
import { isUlid } from "./ulid.ts";

export interface BlockSetEnv extends BlockEnv {
  readonly logger: Logger;
}

/** Directory names of blocks. */
export interface BlockSetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface BlockSetOptions {
  /** How many blocks keep their files open while no query uses them. Default 32. */
  readonly idleOpenMax?: number;
}

/** A block may vanish between our scan and its use, seldom twice in a row. */
const attemptsMax = 3;

export class BlockSet implements Queryable {
  readonly #env: BlockSetEnv;
  readonly #dir: string;
  readonly #idleOpenMax: number;
  /** Every readable block by its directory's name. */
  #readable = new Map<string, Block>();
  #visible: readonly Block[] = [];
  #obsolete: ReadonlyMap<string, Block | undefined> = new Map();
  #unreadable = new Map<string, Error>();
  #losses: readonly NamedLoss[] = [];
  /** Blocks with open files, least recently used first. */
  readonly #open = new Set<Block>();

  private constructor(env: BlockSetEnv, dir: string, options: BlockSetOptions) {
    this.#env = env;
    this.#dir = dir;
    this.#idleOpenMax = options.idleOpenMax ?? 32;
  }

  /** Scans `dir`, which must exist. */
  static open(env: BlockSetEnv, dir: string, options: BlockSetOptions = {}): BlockSet {
    const set = new BlockSet(env, dir, options);
    set.reload();
    return set;
  }

  /** The blocks that queries see, by minTime. */
  get blocks(): readonly Block[] {
    return this.#visible;
  }

  /**
   * Names of directories whose blocks were replaced, with the visible block that says so, or (undefined) that say
   * themselves that nothing is left in them.
   */
  get obsolete(): ReadonlyMap<string, Block | undefined> {
    return this.#obsolete;
  }

  /** What could not be read at the last reload and is not obsolete, by directory name. */
  get unreadable(): ReadonlyMap<string, Error> {
    return this.#unreadable;
  }

  /** For what must not pass over a block in silence: throws where one cannot be read, with what was to be done. */
  requireAll(action: string): void {
    for (const [name, cause] of this.#unreadable) {
      throw new NarthexError(
        "STORAGE",
        `${action} was refused, because block ${name} cannot be read: ${cause.message}. Try again, or move the block out of the data directory if it is damaged`,
        { cause },
      );
    }
  }

  /** The bytes of all visible blocks. */
  get sizeBytes(): number {
    return this.#visible.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** Scans the directory again. Running queries keep the blocks they began with. */
  reload(): BlockSetChange {
    const before = this.#visible;
    const readable = new Map<string, Block>();
    const unreadable = new Map<string, Error>();
    for (const name of this.#env.fs.list(this.#dir).filter(isUlid)) {
      try {
        readable.set(name, this.#current(name) ?? Block.open(this.#env, joinPath(this.#dir, name)));
      } catch (error) {
        if (isMissing(error) && this.#env.fs.stat(joinPath(this.#dir, name)) === undefined) continue;
        unreadable.set(name, error as Error);
      }
    }
    this.#losses = readLosses(this.#env.fs, this.#dir);
    const hidden = obsoleteNames(readable, unreadable);
    for (const name of hidden.keys()) unreadable.delete(name);
    this.#reportUnreadable(unreadable);
    this.#readable = readable;
    this.#unreadable = unreadable;
    this.#obsolete = hidden;
    this.#visible = [...readable]
      .filter(([name]) => !hidden.has(name))
      .map(([, block]) => block)
      .sort((a, b) => a.meta.minTime - b.meta.minTime || a.meta.maxTime - b.meta.maxTime);
    const now = new Set(this.#visible);
    const gone = before.filter((block) => !now.has(block));
    for (const block of gone) this.#retire(block);
    return {
      added: this.#visible.filter((block) => !before.includes(block)).map((block) => block.name),
      removed: gone.map((block) => block.name),
    };
  }

  /** The block as it was opened before, unless samples were deleted from it since. */
  #current(name: string): Block | undefined {
    const block = this.#readable.get(name);
    return block?.isCurrent ? block : undefined;
  }

  /** A querier for each block that overlaps [mint, maxt], oldest first; each to be closed. */
  queriers(mint: number, maxt: number): Querier[] {
    for (let attempt = 1; ; attempt++) {
      const opened: Querier[] = [];
      try {
        for (const block of this.#visible) {
          if (block.overlaps(mint, maxt)) opened.push(this.#querier(block));
        }
        if (this.#losses.length > 0) opened.push(new LossQuerier(this.#losses));
        return opened;
      } catch (error) {
        for (const querier of opened) querier.close();
        if (!isMissing(error) || attempt === attemptsMax) throw error;
        this.reload();
      }
    }
  }

  querier(mint: number, maxt: number): Querier {
    return mergeQueriers(this.queriers(mint, maxt));
  }

  /** Idempotent. Running queries keep their files until they close. */
  close(): void {
    for (const block of this.#visible) this.#retire(block);
    this.#readable = new Map();
    this.#visible = [];
  }

  #querier(block: Block): Querier {
    const readers = block.acquire();
    this.#open.delete(block);
    this.#open.add(block);
    return new BlockQuerier(readers, () => {
      block.release();
      this.#closeIdle();
    });
  }

  #closeIdle(): void {
    for (const block of this.#open) {
      if (this.#open.size <= this.#idleOpenMax) return;
      if (block.users > 0) continue;
      block.closeIfIdle();
      this.#open.delete(block);
    }
  }

  #retire(block: Block): void {
    this.#open.delete(block);
    block.retire();
  }

  /** Once for each block and problem, not at every reload. */
  #reportUnreadable(unreadable: ReadonlyMap<string, Error>): void {
    for (const [name, error] of unreadable) {
      if (this.#unreadable.get(name)?.message === error.message) continue;
      this.#env.logger.error(
        "A block cannot be read: its samples are missing from answers, its files are left alone",
        {
          block: name,
          err: error.message,
        },
      );
    }
  }
}

/** Those that others name as their parents, and those that say themselves that they may go. */
function obsoleteNames(
  readable: ReadonlyMap<string, Block>,
  unreadable: ReadonlyMap<string, Error>,
): Map<string, Block | undefined> {
  const names = new Map<string, Block | undefined>();
  for (const [name, block] of readable) {
    const { deletable, parents } = block.meta.compaction;
    if (deletable) names.set(name, undefined);
    for (const { ulid } of parents) {
      if (ulid !== name && (readable.has(ulid) || unreadable.has(ulid))) names.set(ulid, block);
    }
  }
  return names;
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ENOENT";
}
