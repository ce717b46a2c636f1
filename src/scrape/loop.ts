/**
 * Scrapes one target again and again. One scrape at a time: a tick that falls into a running scrape starts the next
 * as soon as it ends, further ones are lost.
 *
 * A stopped loop waits until the target would have been scraped twice more and a bit, in case it comes back, and then
 * has its series marked stale, at the time of the first of the two. A loop that is shut down writes nothing: the
 * server will be back.
 */
import type { Clock, Logger, Timer } from "../base/env.ts";
import { BodySizeError, type HttpClient } from "../base/http-client.ts";
import { formatDuration } from "../model/duration.ts";
import type { ScrapeObserver } from "./observer.ts";
import { hashText, ScrapeTimestamps, scrapeOffsetMs } from "./schedule.ts";
import type { ScrapeSink, TargetSettings } from "./sink.ts";
import type { Target } from "./target.ts";

export interface LoopEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink: ScrapeSink;
  readonly observer: ScrapeObserver;
  /** How late a scrape may be and still get its exact timestamp; 0 turns this off. */
  readonly toleranceMs: number;
  /** Moves the phases of all targets: servers with different seeds scrape at different times. */
  readonly offsetSeed: string;
}

/** How to ask the target. */
export interface LoopRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly unixSocket: string;
}

export class ScrapeLoop {
  readonly settings: TargetSettings;
  readonly #env: LoopEnv;
  readonly #target: Target;
  readonly #request: LoopRequest;
  readonly #client: HttpClient;
  /** Of the request that runs. */
  #abort: AbortController | undefined;
  /** Why the target may not be scraped at all; "" otherwise. */
  forcedError: string;
  #timer: Timer | undefined;
  #timestamps: ScrapeTimestamps | undefined;
  /** When the next tick is due, by the monotonic clock. */
  #dueMs = 0;
  #lastStartMs: number | undefined;
  #running: Promise<void> | undefined;
  #tickMissed = false;
  #opened = false;
  #stopped = false;
  #closed = false;
  #bodyBytes = 0;

  constructor(
    env: LoopEnv,
    target: Target,
    settings: TargetSettings,
    request: LoopRequest,
    client: HttpClient,
    forcedError: string,
  ) {
    this.#env = env;
    this.#target = target;
    this.settings = settings;
    this.#request = request;
    this.#client = client;
    this.forcedError = forcedError;
  }

  start(): void {
    if (this.#stopped) return;
    const { clock, sink, offsetSeed } = this.#env;
    sink.open(this.settings);
    this.#opened = true;
    const hash = hashText(offsetSeed + this.#target.key);
    const offsetMs = scrapeOffsetMs(hash, this.settings.intervalMs, clock.nowMs());
    this.#dueMs = clock.monotonicMs() + offsetMs;
    this.#wait();
  }

  /** Resolves when the running scrape has ended; the series are marked stale later. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
    if (this.#closed) return;
    if (this.#lastStartMs === undefined) this.#close(undefined);
    else this.#retire();
  }

  /** Ends at once, also a stopped loop that waits; a running scrape is aborted. Resolves when all is over. */
  async shutdown(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#abort?.abort(new Error("the server is shutting down"));
    await this.#running;
    this.#timer?.cancel();
    await this.#close(undefined);
  }

  /** Nothing is left to do for this loop. */
  get closed(): boolean {
    return this.#closed;
  }

  #wait(): void {
    const { clock } = this.#env;
    const delayMs = Math.max(0, Math.ceil(this.#dueMs - clock.monotonicMs()));
    this.#timer = clock.after(delayMs, () => {
      if (this.#stopped) return;
      // Timers may fire up to a millisecond early, which would cost the exact timestamp.
      if (clock.monotonicMs() < this.#dueMs) return this.#wait();
      this.#tick();
    });
  }

  #tick(): void {
    const { intervalMs } = this.settings;
    const lateMs = this.#env.clock.monotonicMs() - this.#dueMs;
    this.#dueMs += intervalMs * (1 + Math.floor(lateMs / intervalMs));
    if (this.#running === undefined) this.#run();
    else this.#tickMissed = true;
    this.#wait();
  }

  #run(): void {
    this.#tickMissed = false;
    this.#running = this.#scrape().finally(() => {
      this.#running = undefined;
      if (this.#tickMissed && !this.#stopped) this.#run();
    });
  }

  async #scrape(): Promise<void> {
    const { clock, observer, toleranceMs } = this.#env;
    const startMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    this.#timestamps ??= new ScrapeTimestamps(nowMs, this.settings.intervalMs, toleranceMs);
    const t = toleranceMs === 0 ? nowMs : this.#timestamps.next(nowMs);
    if (this.#lastStartMs !== undefined) {
      observer.intervalLength(formatDuration(this.settings.intervalMs), (startMs - this.#lastStartMs) / 1000);
    }
    this.#lastStartMs = startMs;
    const page = await this.#fetch();
    const fetchedMs = clock.monotonicMs();
    const error = await this.#deliver({ t, durationMs: fetchedMs - startMs, ...page });
    this.#target.report(t, clock.monotonicMs() - startMs, page.error === "" ? error : page.error);
  }

  async #deliver(page: Parameters<ScrapeSink["deliver"]>[1]): Promise<string> {
    try {
      return (await this.#env.sink.deliver(this.settings.id, page)).error;
    } catch (error) {
      const err = (error as Error).message;
      this.#env.logger.error("A scraped page could not be stored", { target: this.#target.url, err });
      return err;
    }
  }

  async #fetch(): Promise<{ body: Uint8Array | undefined; contentType: string; error: string }> {
    const failed = (error: string) => ({ body: undefined, contentType: "", error });
    if (this.forcedError !== "") return failed(this.forcedError);
    const { clock, logger, observer } = this.#env;
    const abort = new AbortController();
    this.#abort = abort;
    const timer = clock.after(this.settings.timeoutMs, () =>
      abort.abort(new Error("context deadline exceeded")),
    );
    try {
      const response = await this.#client.get({
        url: this.#target.url,
        headers: this.#request.headers,
        unixSocket: this.#request.unixSocket,
        bodyBytesMax: this.settings.bodySizeLimitBytes,
        bodyBytesExpected: this.#bodyBytes,
        signal: abort.signal,
      });
      if (response.status !== 200) return failed(`server returned HTTP status ${response.statusLine}`);
      if (response.body.length > 0) this.#bodyBytes = response.body.length;
      return { body: response.body, contentType: response.contentType, error: "" };
    } catch (error) {
      if (error instanceof BodySizeError) observer.bodySizeExceeded();
      const message = (error as Error).message;
      logger.debug("Scrape failed", { target: this.#target.url, err: message });
      return failed(message === "" ? "scrape failed" : message);
    } finally {
      timer.cancel();
      this.#abort = undefined;
    }
  }

  /** From a stop to the staleness markers: the next tick, one more interval, and a tenth of one. */
  #retire(): void {
    const { clock } = this.#env;
    const { intervalMs } = this.settings;
    const untilTickMs = Math.max(0, this.#dueMs - clock.monotonicMs());
    this.#timer = clock.after(untilTickMs, () => {
      const staleAt = clock.nowMs();
      this.#timer = clock.after(intervalMs * 1.1, () => void this.#close(staleAt));
    });
  }

  async #close(staleAt: number | undefined): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#opened) return;
    try {
      await this.#env.sink.close(this.settings.id, staleAt);
    } catch (error) {
      this.#env.logger.warn("The series of a target that went away could not be marked stale", {
        target: this.#target.url,
        err: (error as Error).message,
      });
    }
  }
}
