/** A scrape target that does everything a target must not do, one path for each, and one that is as it should be. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { inputRandom, type Material, mutatedInput } from "../mutate.ts";
import { texts } from "../target.ts";
import { expositionWords, openMetricsPages, protobufPages, textPages } from "../targets/exposition.ts";

type Page = (request: IncomingMessage, response: ServerResponse) => void;

const textType = "text/plain; version=0.0.4";

interface Format {
  readonly contentType: string;
  readonly material: Material;
}

const dictionary = texts(...expositionWords);
const formats: readonly Format[] = [
  { contentType: textType, material: { seeds: texts(...textPages), dictionary } },
  {
    contentType: "application/openmetrics-text; version=1.0.0",
    material: { seeds: texts(...openMetricsPages), dictionary },
  },
  {
    contentType:
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    material: { seeds: protobufPages, dictionary: [] },
  },
];

const oddTypes = ["", "text/html", "text/plain; =", "application/json", "\u00e9/x", "text/plain;version=9;a"];

/** 20 MB of one line's repetition, as gzip. */
const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, "a_metric 1\n"));
const line = Buffer.from(`endless{text="${"x".repeat(1000)}"} 1\n`);
const endlessBytesPerTick = 64 * 1024;

export class HostileExporter {
  readonly #server: Server;
  readonly #seed: number;
  readonly #variants: number;
  #requests = 0;

  private constructor(seed: number, variants: number) {
    this.#seed = seed;
    this.#variants = variants;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** `variants`: how many different broken pages there are; after those they come again. */
  static async start(seed: number, variants: number): Promise<HostileExporter> {
    const exporter = new HostileExporter(seed, variants);
    await new Promise<void>((resolve) => exporter.#server.listen(0, "127.0.0.1", resolve));
    return exporter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Without the good one. */
  get paths(): readonly string[] {
    return Object.keys(this.#pages).filter((path) => path !== "/good");
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#requests++;
    response.on("error", () => {});
    const page = this.#pages[(request.url ?? "").split("?")[0]];
    if (page !== undefined) page(request, response);
    else response.writeHead(404).end();
  }

  readonly #pages: Readonly<Record<string, Page>> = {
    "/good": (_, response) => response.writeHead(200, { "content-type": textType }).end("good_metric 7\n"),
    "/garbage": (_, response) => {
      const random = inputRandom(this.#seed, "page", this.#requests % this.#variants);
      const { contentType, material } = random.pick(formats);
      response.writeHead(200, { "content-type": contentType }).end(mutatedInput(random, material));
    },
    "/odd-type": (_, response) => {
      const type = oddTypes[this.#requests % oddTypes.length];
      response.writeHead(200, type === "" ? {} : { "content-type": encodeURI(type) }).end("a 1\n");
    },
    "/broken-gzip": (_, response) => {
      const random = inputRandom(this.#seed, "gzip", this.#requests % this.#variants);
      const body = mutatedInput(random, { seeds: [gzipSync("a 1\n".repeat(100))], dictionary: [] });
      response.writeHead(200, { "content-type": textType, "content-encoding": "gzip" }).end(body);
    },
    "/bomb": (_, response) =>
      response.writeHead(200, { "content-type": textType, "content-encoding": "gzip" }).end(bomb),
    "/endless": (_, response) => {
      response.writeHead(200, { "content-type": textType });
      const chunk = Buffer.concat(
        new Array<Buffer>(Math.floor(endlessBytesPerTick / line.length)).fill(line),
      );
      const timer = setInterval(() => response.write(chunk), 5);
      response.on("close", () => clearInterval(timer));
    },
    "/slow": (_, response) => {
      response.writeHead(200, { "content-type": textType });
      const timer = setInterval(() => response.write("a"), 100);
      response.on("close", () => clearInterval(timer));
    },
    "/silent": () => {},
    "/cut": (_, response) => {
      response.writeHead(200, { "content-type": textType, "content-length": 1000 });
      response.write("a 1\nb 2", () => response.destroy());
    },
    "/reset": (request) => request.socket.destroy(),
    "/no-http": (request) => request.socket.end("\0\u0001 not HTTP at all\r\n\r\n"),
    "/500": (_, response) => response.writeHead(500).end("x".repeat(100_000)),
    "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
    "/many-series": (_, response) => {
      // The same ones every time: they stay in the head.
      const lines = Array.from({ length: 500 }, (_unused, i) => `many{i="${i}"} ${i}`);
      response.writeHead(200, { "content-type": textType }).end(`${lines.join("\n")}\n`);
    },
  };
}
