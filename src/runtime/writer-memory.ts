/**
 * The writer's eye on its memory: judges after every message and once a second, tells the other threads, and says in the
 * log what begins and ends: rushed mode, and that new series are refused, of whom.
 */
import type { Clock, Logger } from "../base/env.ts";
import { formatSize } from "../config/size.ts";
import { culpritsText } from "../tsdb/budget/refused-series.ts";
import type { Db } from "../tsdb/db.ts";
import type { MemoryWords } from "./memory-words.ts";

/** How often it is said that new series are refused, while they are. */
const sayRefusedMs = 60_000;
const culpritsSaid = 5;

export class WriterMemory {
  readonly #db: Db;
  readonly #words: MemoryWords;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #saidMs = Number.NEGATIVE_INFINITY;
  #saidRefused = 0;

  constructor(db: Db, words: MemoryWords, clock: Clock, logger: Logger) {
    this.#db = db;
    this.#words = words;
    this.#clock = clock;
    this.#logger = logger;
  }

  judge(): void {
    const { arena, budget } = this.#db.head;
    const pages = this.#words.arenaPages;
    if (pages > 0 && this.#db.judgeMemory(pages)) {
      // The appenders of open histogram chunks can be made again from the chunks.
      if (budget.urgency.rushed) this.#db.head.histograms.dropCache();
      this.#sayRushed();
    }
    const { score, rushed } = budget.urgency;
    this.#db.rushed = rushed;
    this.#words.report(arena.pagesTakenMost, budget.heldBytes, score, rushed);
    if (budget.refused.total > this.#saidRefused) this.#sayRefused();
  }

  #sayRushed(): void {
    const { budget, stats } = this.#db.head;
    const { rushed, score } = budget.urgency;
    const numbers = { score: score.toFixed(2), held: formatSize(budget.heldBytes), series: stats.series };
    if (rushed) {
      this.#logger.warn(
        "Rushed mode: the memory limit is near. Caches shrink, the head is cut early; at a score of 0.9 queries are " +
          "refused, at 1 new series. Scrape fewer series, or raise --storage.tsdb.memory-limit",
        numbers,
      );
    } else this.#logger.info("Rushed mode is over", numbers);
  }

  #sayRefused(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#saidMs < sayRefusedMs) return;
    const { refused } = this.#db.head.budget;
    this.#logger.warn(
      "New series are refused, known ones are stored. /api/v1/status/memory has the whole list of whose they were",
      {
        refused: refused.total - this.#saidRefused,
        reason: this.#db.appender.lastRefusal,
        whose: culpritsText(refused.culprits(culpritsSaid)),
      },
    );
    this.#saidMs = nowMs;
    this.#saidRefused = refused.total;
  }
}
