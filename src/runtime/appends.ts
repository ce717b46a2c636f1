/**
 * The ways to the writer thread for what is to be stored: scraped pages and remote-write requests. Lives in the main
 * thread. While the WAL is replayed they wait there, in bounded memory.
 */
import { notReady } from "../api/answer.ts";
import type { Answer, WriteHeaders } from "../api/services.ts";
import type { Clock } from "../base/env.ts";
import type { ScrapedPage, ScrapeReport, ScrapeSink } from "../scrape/sink.ts";
import type { WriterMethods } from "./protocol.ts";
import type { Thread } from "./thread.ts";
import { WaitingAppends } from "./waiting-appends.ts";

/** How long a remote-write request waits for the end of the replay: senders give up after 30 s. */
const writePatienceMs = 20_000;

/** Whether the writer's head is there. */
export interface HeadReadiness {
  readonly isReady: boolean;
  /** Resolves when the head is there; rejects when the writer died before. */
  readonly ready: Promise<void>;
}

export class Appends {
  readonly sink: ScrapeSink;
  /** What found no room while the WAL was replayed, or waited in vain. */
  readonly refused = { writes: 0, scrapes: 0 };
  readonly #writer: Thread<WriterMethods>;
  readonly #head: HeadReadiness;
  readonly #waiting: WaitingAppends;
  #ended = false;
  #open = 0;

  /** `waitingBytesMax`: of all that waits. */
  constructor(writer: Thread<WriterMethods>, head: HeadReadiness, clock: Clock, waitingBytesMax: number) {
    this.#writer = writer;
    this.#head = head;
    this.#waiting = new WaitingAppends(clock, waitingBytesMax);
    this.sink = {
      // Where the writer dies, or is ended while it replays, deliveries say so.
      open: (settings) => void writer.call("openTarget", settings).catch(() => {}),
      deliver: (id, page) => this.#deliver(id, page),
      close: async (id, staleAt) => {
        const closed = writer.call("closeTarget", { id, staleAt });
        if (head.isReady) return closed;
        // The end of the server does not wait for a replay.
        closed.catch(() => {});
      },
      metadata: async (id) => (head.isReady ? writer.call("metadata", id) : []),
    };
  }

  /** Scrapes and remote-write requests that the writer has, and has not committed yet. */
  get openCount(): number {
    return this.#open;
  }

  /** The body is handed over. */
  async write(body: Uint8Array, headers: WriteHeaders): Promise<Answer> {
    if (!(await this.#headFor(body, writePatienceMs))) {
      this.refused.writes++;
      return notReady(this.#ended);
    }
    const transfer = [body.buffer as ArrayBuffer];
    const { answer } = await this.#opened(this.#writer.call("write", { body, headers }, transfer));
    return answer;
  }

  /** What waits for the end of the replay waits no longer: the server is about to end. */
  endWaiting(): void {
    this.#ended = true;
    this.#waiting.end();
  }

  async #deliver(id: number, page: ScrapedPage): Promise<ScrapeReport> {
    const { body } = page;
    if (!(await this.#headFor(body))) {
      this.refused.scrapes++;
      const error = "the scrape was skipped: the write-ahead log is still being replayed";
      return { scraped: 0, postRelabel: 0, added: 0, error };
    }
    const transfer = body === undefined ? [] : [body.buffer as ArrayBuffer];
    return this.#opened(this.#writer.call("deliver", { id, page }, transfer));
  }

  async #opened<T>(append: Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await append;
    } finally {
      this.#open--;
    }
  }

  async #headFor(body: Uint8Array | undefined, patienceMs?: number): Promise<boolean> {
    const { isReady, ready } = this.#head;
    return isReady || this.#waiting.wait(body?.byteLength ?? 0, ready, patienceMs);
  }
}
