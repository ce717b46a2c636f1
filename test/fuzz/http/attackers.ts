/** Several clients that attack a server at the same time, while another one asks it for something right. */
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { attacks, fileAttacks, type Victim } from "./attacks.ts";

const clients = 4;
const controlIntervalMs = 100;
const fileIntervalMs = 300;
/** Then a run ends. */
const problemsMax = 5;

export class Attackers {
  /** How often each attack had each outcome. */
  readonly counts = new Map<string, number>();
  readonly problems: string[] = [];
  controls = 0;
  slowestControlMs = 0;
  readonly #victim: Victim;
  readonly #control: () => Promise<void>;
  readonly #weights = attacks.reduce((sum, [, weight]) => sum + weight, 0);
  #end = 0;

  /** `control` throws where the server's answer is not the right one. */
  constructor(victim: Victim, control: () => Promise<void>) {
    this.#victim = victim;
    this.#control = control;
  }

  async run(durationMs: number): Promise<void> {
    this.#end = performance.now() + durationMs;
    const random = (client: number) => new SeededRandom(this.#victim.seed + client);
    await Promise.all([
      this.#askOnAndOn(),
      this.#breakFiles(random(0)),
      ...Array.from({ length: clients }, (_, client) => this.#attack(random(client + 1))),
    ]);
  }

  get #goesOn(): boolean {
    return performance.now() < this.#end && this.problems.length < problemsMax;
  }

  async #attack(random: SeededRandom): Promise<void> {
    while (this.#goesOn) {
      let at = (random.below(1e6) / 1e6) * this.#weights;
      const [name, , attack] = attacks.find(([, weight]) => (at -= weight) < 0) ?? attacks[0];
      await this.#count(name, () => attack(this.#victim, random));
    }
  }

  async #breakFiles(random: SeededRandom): Promise<void> {
    while (this.#goesOn) {
      for (const [name, attack] of fileAttacks) await this.#count(name, () => attack(this.#victim, random));
      await sleep(fileIntervalMs);
    }
  }

  async #askOnAndOn(): Promise<void> {
    while (this.#goesOn) {
      await this.#count("control queries", async () => {
        const begun = performance.now();
        await this.#control();
        this.controls++;
        this.slowestControlMs = Math.max(this.slowestControlMs, performance.now() - begun);
        return "answered";
      });
      await sleep(controlIntervalMs);
    }
  }

  async #count(name: string, action: () => Promise<string>): Promise<void> {
    try {
      const key = `${name}: ${await action()}`;
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    } catch (error) {
      this.problems.push(`${name}: ${(error as Error).message}`);
    }
  }
}
