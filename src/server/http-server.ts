/** The HTTP app on its addresses: opened after everything it asks, closed before it. */
import type { Server } from "node:http";
import type { Clock } from "../base/env.ts";
import { type ConnectionObserver, Listeners } from "./listeners.ts";

export interface HttpServerOptions {
  readonly addresses: readonly string[];
  readonly connectionsMax: number;
  readonly observer: ConnectionObserver;
}

export class HttpServer {
  readonly #app: Server;
  readonly #listeners: Listeners;
  readonly #clock: Clock;

  private constructor(app: Server, listeners: Listeners, clock: Clock) {
    this.#app = app;
    this.#listeners = listeners;
    this.#clock = clock;
  }

  static async open(app: Server, options: HttpServerOptions, clock: Clock): Promise<HttpServer> {
    const { addresses, connectionsMax, observer } = options;
    return new HttpServer(app, await Listeners.open(app, addresses, connectionsMax, observer), clock);
  }

  /** Where it listens, with the ports that the system chose. */
  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  /** Takes no more connections, lets running requests end for at most `drainMs`, then closes what is left. */
  async close(drainMs: number): Promise<void> {
    const http = this.#app;
    const stopped = this.#listeners.stop();
    http.closeIdleConnections();
    const timer = this.#clock.after(drainMs, () => this.#listeners.destroy());
    await stopped;
    timer.cancel();
    http.closeAllConnections();
  }
}
