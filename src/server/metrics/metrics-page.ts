/** `/metrics`: this thread's registry and what the other threads counted, in the text format. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Route } from "../../api/routes.ts";
import { plainWrapping } from "../../api/routes.ts";
import type { Clock, Logger } from "../../base/env.ts";
import { type StatFamily, type Stats, statsPage } from "./stat-families.ts";

const contentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

/** A thread that is busy for longer is shown with its last numbers. */
const patienceMs = 1000;

export interface MetricsPageEnv {
  readonly clock: Clock;
  readonly logger: Logger;
}

export class MetricsPage {
  readonly #env: MetricsPageEnv;
  readonly #registry: Registry;
  readonly #families: readonly StatFamily[];
  readonly #collect: () => Promise<Stats>;
  #latest: Stats = {};
  #collecting: Promise<void> | undefined;

  /** `collect` asks the other threads for the numbers of `families`. */
  constructor(
    env: MetricsPageEnv,
    registry: Registry,
    families: readonly StatFamily[],
    collect: () => Promise<Stats>,
  ) {
    this.#env = env;
    this.#registry = registry;
    this.#families = families;
    this.#collect = collect;
  }

  async text(): Promise<string> {
    this.#collecting ??= this.#refresh().finally(() => {
      this.#collecting = undefined;
    });
    await this.#withPatience(this.#collecting);
    return (await this.#registry.metrics()) + statsPage(this.#families, this.#latest);
  }

  async #refresh(): Promise<void> {
    try {
      this.#latest = await this.#collect();
    } catch (error) {
      this.#env.logger.warn("The threads' metrics could not be collected; /metrics shows the last ones.", {
        problem: (error as Error).message,
      });
    }
  }

  #withPatience(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#env.clock.after(patienceMs, resolve);
      work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** The route, counted as Prometheus counts it. */
export function metricsRoute(page: MetricsPage, registry: Registry): Route {
  const registers = [registry];
  const requests = new Counter({
    name: "promhttp_metric_handler_requests_total",
    help: "Requests for /metrics by status code.",
    labelNames: ["code"],
    registers,
  });
  for (const code of ["200", "500", "503"]) requests.inc({ code }, 0);
  const inFlight = new Gauge({
    name: "promhttp_metric_handler_requests_in_flight",
    help: "Requests for /metrics that are being answered.",
    registers,
  });
  return {
    methods: ["GET"],
    path: "/metrics",
    wrapping: { ...plainWrapping, compressed: true },
    handler: async () => {
      inFlight.inc();
      try {
        const body = new TextEncoder().encode(await page.text());
        requests.inc({ code: "200" });
        return { status: 200, headers: { "content-type": contentType }, body };
      } catch (error) {
        requests.inc({ code: "500" });
        throw error;
      } finally {
        inFlight.dec();
      }
    },
  };
}
