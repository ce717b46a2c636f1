/**
 * The addresses the server listens on, and the limit on its connections: further ones wait, as they do in Prometheus,
 * until one closes.
 *
 * Several addresses share one HTTP server: their connections are handed to it.
 */
import type { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { ConfigError } from "../base/errors.ts";

export interface ConnectionObserver {
  accepted(): void;
  closed(): void;
}

interface Address {
  readonly host: string | undefined;
  readonly port: number;
}

/** "host:port", ":port" for all interfaces, "[::1]:port". */
export function parseListenAddress(text: string): Address {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new ConfigError(
      "command line",
      0,
      "--web.listen-address",
      `"${text}" is not an address: wanted "host:port", ":port" or "[ipv6]:port"`,
    );
  }
  return { host: match[1] ?? (match[2] === "" ? undefined : match[2]), port };
}

/** Lets at most `max` sockets be served at once; the others wait, paused, in order. */
class ConnectionGate {
  readonly #max: number;
  readonly #serve: (socket: Socket) => void;
  readonly #observer: ConnectionObserver;
  readonly #open = new Set<Socket>();
  readonly #waiting = new Set<Socket>();

  constructor(max: number, observer: ConnectionObserver, serve: (socket: Socket) => void) {
    this.#max = max;
    this.#observer = observer;
    this.#serve = serve;
  }

  arrive(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#leave(socket));
    if (this.#open.size < this.#max) this.#admit(socket);
    else this.#waiting.add(socket);
  }

  #admit(socket: Socket): void {
    this.#open.add(socket);
    this.#observer.accepted();
    this.#serve(socket);
  }

  #leave(socket: Socket): void {
    this.#waiting.delete(socket);
    if (!this.#open.delete(socket)) return;
    this.#observer.closed();
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#admit(next);
      return;
    }
  }

  destroyAll(): void {
    for (const socket of [...this.#waiting, ...this.#open]) socket.destroy();
  }

  destroyWaiting(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}

export class Listeners {
  readonly #servers: Server[] = [];
  readonly #gate: ConnectionGate;

  private constructor(http: HttpServer, connectionsMax: number, observer: ConnectionObserver) {
    this.#gate = new ConnectionGate(connectionsMax, observer, (socket) => {
      http.emit("connection", socket);
      socket.resume();
    });
  }

  /** Listens on all addresses, or on none: then it rejects with what is wrong with the first that failed. */
  static async open(
    http: HttpServer,
    addresses: readonly string[],
    connectionsMax: number,
    observer: ConnectionObserver,
  ): Promise<Listeners> {
    const listeners = new Listeners(http, connectionsMax, observer);
    try {
      for (const address of addresses) await listeners.#listen(address);
    } catch (error) {
      await listeners.stop();
      throw error;
    }
    // Starts the HTTP server's own watch over slow requests; it listens on nothing itself.
    http.emit("listening");
    return listeners;
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): readonly string[] {
    return this.#servers.map((server) => {
      const { address, family, port } = server.address() as AddressInfo;
      return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
    });
  }

  async #listen(text: string): Promise<void> {
    const { host, port } = parseListenAddress(text);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#gate.arrive(socket),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, text)));
      server.listen({ host, port }, resolve);
    });
    this.#servers.push(server);
  }

  /** No new connections, none that wait; resolves when those that are open have closed. Idempotent. */
  async stop(): Promise<void> {
    this.#gate.destroyWaiting();
    const closed = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all(this.#servers.splice(0).map(closed));
  }

  /** Ends whatever is still open. */
  destroy(): void {
    this.#gate.destroyAll();
  }
}

function explain(error: NodeJS.ErrnoException, address: string): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another process uses this port: stop it, or choose another address",
    EACCES: "this process may not use this port: choose one above 1023",
    EADDRNOTAVAIL: "this machine has no such address: choose one of its own, or :port for all",
    ENOTFOUND: "this host name cannot be resolved",
  };
  const reason = reasons[error.code ?? ""] ?? error.message;
  return new Error(`cannot listen on --web.listen-address=${address}: ${reason}`, { cause: error });
}
