/** A real Prometheus and Narthex, which get the same data. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../../../bench/servers.mjs";
import { remoteWriteBody } from "../../peers/remote-write.ts";

type Server = Awaited<ReturnType<typeof startServer>>;

export class ServerPair {
  readonly #dir: string;
  readonly #flags: string[];
  #servers: Server[] = [];

  private constructor(dir: string, flags: string[]) {
    this.#dir = dir;
    this.#flags = flags;
  }

  /** `flags`: for Narthex only. */
  static async start(dir: string, flags: string[] = []): Promise<ServerPair> {
    mkdirSync(dir, { recursive: true });
    const pair = new ServerPair(dir, flags);
    try {
      await pair.#start();
    } catch (error) {
      await pair.stop();
      throw error;
    }
    return pair;
  }

  async #start(): Promise<void> {
    this.#servers.push(await startServer("prometheus", join(this.#dir, "prometheus")));
    this.#servers.push(await startServer("narthex", this.narthexDir, { flags: this.#flags }));
  }

  get narthexDir(): string {
    return join(this.#dir, "narthex");
  }

  get theirs(): string {
    return this.#servers[0].url;
  }

  get ours(): string {
    return this.#servers[1].url;
  }

  async feed(bodies: readonly Uint8Array[]): Promise<void> {
    for (const { name, url } of this.#servers) {
      for (const body of bodies) {
        const { status, text } = await remoteWriteBody(url, body);
        if (status !== 204) throw new Error(`${name} answered ${status} to a write: ${text}`);
      }
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#start();
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop();
  }
}
