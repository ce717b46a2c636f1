/**
 * What the people who run this server should know now: shown on the root page and by api/v1/notifications, as
 * Prometheus shows that it is starting or that a reload failed. A notification stays until what it says is over.
 */
import type { Notification, NotificationService } from "../api/services.ts";
import type { Clock } from "../base/env.ts";

/** Prometheus's own, word for word where it is the same thing. */
export const notificationTexts = {
  starting: "Narthex is starting and replaying the write-ahead log (WAL).",
  stopping: "Narthex is shutting down and gracefully stopping all operations.",
  reloadFailed: "Configuration reload has failed.",
} as const;

export class Notifications implements NotificationService {
  readonly #clock: Pick<Clock, "nowMs">;
  /** By their keys. */
  readonly #active = new Map<string, Notification>();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** Sets what is to be said about `key`; "" when there is nothing any more. The same text keeps its date. */
  set(key: string, text: string): void {
    if (text === "") this.#active.delete(key);
    else if (this.#active.get(key)?.text !== text) {
      this.#active.set(key, { text, dateMs: this.#clock.nowMs() });
    }
  }

  notifications(): readonly Notification[] {
    return [...this.#active.values()];
  }
}
