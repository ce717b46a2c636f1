/** Requests that a server must survive. Each kind has a number of different ones, so that all have come after a while. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeUtf8, encodeUtf8 } from "../../../src/base/bytes.ts";
import type { SeededRandom } from "../../../src/testkit/seeded-random.ts";
import { bitsOf, encodeWriteRequest, staleBits, type WrittenSeries } from "../../peers/remote-write.ts";
import { codecs } from "../../tsdb/wal-world.ts";
import { materialOf } from "../fuzz.ts";
import { inputRandom, joined, type Material, mutatedInput } from "../mutate.ts";
import { texts } from "../target.ts";
import { targets } from "../targets.ts";
import { rawRequest } from "./raw-request.ts";

export interface Victim {
  readonly port: number;
  /** Holds prometheus.yml and the file that its file_sd_configs name. */
  readonly dir: string;
  /** The good prometheus.yml. */
  readonly config: string;
  readonly seed: number;
  /** How many different inputs each kind of attack has. */
  readonly variants: number;
}

/** Resolves to what came back, for the counts: a status or a word. Throws for an answer that must not be. */
export type Attack = (victim: Victim, random: SeededRandom) => Promise<string>;

function materialFor(name: string): Material {
  const target = targets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new RangeError(`there is no fuzz target ${name}`);
  return materialOf(target);
}

/** One of the different inputs of this kind. */
function variant(victim: Victim, random: SeededRandom, kind: string, material: Material): Uint8Array {
  return mutatedInput(inputRandom(victim.seed, kind, random.below(victim.variants)), material);
}

function head(method: string, target: string, ...headers: readonly string[]): Uint8Array {
  return encodeUtf8(
    [`${method} ${target} HTTP/1.1`, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n"),
  );
}

function withBody(
  method: string,
  target: string,
  type: string,
  body: Uint8Array,
  ...headers: readonly string[]
) {
  return joined(
    head(method, target, `Content-Type: ${type}`, `Content-Length: ${body.length}`, ...headers),
    body,
  );
}

/** Sends a well-formed request; 500 is never the right answer. */
async function send(victim: Victim, bytes: Uint8Array): Promise<string> {
  const { status, text } = await rawRequest(victim.port, bytes);
  if (status === 500)
    throw new Error(`${text.slice(0, 1000)} to ${Buffer.from(bytes).toString("latin1", 0, 1000)}`);
  return String(status);
}

const parameters = materialFor("http-parameters");
const queries = materialFor("promql-parser");
const now = Date.now();
const written: readonly WrittenSeries[] = [
  { labels: { __name__: "written", job: "x" }, samples: [{ t: now, bits: bitsOf(1) }] },
  { labels: { __name__: "written_too" }, samples: [{ t: now - 60_000, bits: bitsOf(0.1) }] },
  {
    labels: { __name__: "written", job: "y", zone: "ä" },
    samples: [
      { t: now, bits: bitsOf(1) },
      { t: now + 5, bits: staleBits },
    ],
  },
];
const messages: Material = {
  seeds: [encodeWriteRequest(written.slice(0, 1)), encodeWriteRequest(written)],
  dictionary: materialFor("remote-write").dictionary,
};
const configs = materialFor("config");
const targetFiles = materialFor("targets-yaml");

const otherEndpoints = texts(
  "/api/v1/metadata?limit=1&metric=a&limit_per_metric=2",
  '/api/v1/targets/metadata?match_target={job="good"}&metric=a&limit=3',
  "/api/v1/scrape_pools",
  "/api/v1/alertmanagers",
  "/api/v1/alerts",
  "/api/v1/rules?type=alert",
  "/api/v1/status/config",
  "/api/v1/status/runtimeinfo",
  "/api/v1/status/buildinfo",
  "/api/v1/status/flags",
  "/api/v1/status/tsdb?limit=5",
  "/api/v1/status/walreplay",
  "/metrics",
  "/version",
  "/-/healthy",
  "/-/ready",
  "/",
);
const anyEndpoint: Material = {
  seeds: [...otherEndpoints, ...parameters.seeds],
  dictionary: [...parameters.dictionary, ...texts("/", "..", "//", "/-/ready", "/api/v1", "%2e%2e", "\\")],
};

/** A request target as it may stand in a request line: what may not is escaped. */
function requestTarget(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) =>
    byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`,
  ).join("");
  return text.startsWith("/") && text !== "/-/quit" ? text.slice(0, 8000) : `/${text.slice(0, 8000)}`;
}

const methods = ["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"];

const anyPath: Attack = (victim, random) =>
  send(victim, head(random.pick(methods), requestTarget(variant(victim, random, "path", anyEndpoint))));

const paths = anyEndpoint.seeds.map((bytes) => decodeUtf8(bytes).split("?")[0]);

const anyParameters: Attack = (victim, random) => {
  const [, ...query] = requestTarget(variant(victim, random, "parameters", anyEndpoint)).split("?");
  return send(victim, head(random.pick(methods), `${random.pick(paths)}?${query.join("?")}`));
};

const formTypes = [
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=b",
  "text/plain",
  "; =",
];

const anyForm: Attack = (victim, random) => {
  const bytes = variant(victim, random, "form", parameters);
  const question = bytes.indexOf(0x3f);
  const path = random.chance(0.8)
    ? random.pick(paths)
    : requestTarget(bytes.subarray(0, Math.max(0, question)));
  const form = bytes.subarray(question + 1);
  const type = random.pick(formTypes);
  const part = encodeUtf8('--b\r\nContent-Disposition: form-data; name="query"\r\n\r\n');
  const body = type.startsWith("multipart") ? joined(part, form, encodeUtf8("\r\n--b--\r\n")) : form;
  return send(victim, withBody("POST", path, type, body));
};

const anyQuery: Attack = (victim, random) => {
  const query = encodeURIComponent(Buffer.from(variant(victim, random, "query", queries)).toString("latin1"));
  const range = random.chance(0.5);
  const now = Date.now() / 1000;
  const times = `start=${now - 3600}&end=${now}&step=15`;
  return send(
    victim,
    head("GET", `/api/v1/query${range ? "_range" : ""}?query=${query.slice(0, 12_000)}&${times}`),
  );
};

/** Queries that are right but ask for more than a server can give. */
const heavyQueries = [
  '{__name__=~".+"}[30d]',
  'max_over_time({__name__=~".+"}[1h])',
  "sum_over_time(vector(1)[1000y:1ms])",
  "rate(control[5m])[30d:1s]",
  "count by (i) (control or on () vector(1))",
  `${"sum(".repeat(500)}control${")".repeat(500)}`,
  `control${" + control".repeat(200)}`,
  `count({__name__=~"(.*)(.*)(.*)(.*)x{1,50}"})`,
  'label_replace(control, "a", "$1$1$1$1", "i", "(.*)")',
];

const heavyQuery: Attack = (victim, random) =>
  send(victim, head("GET", `/api/v1/query?query=${encodeURIComponent(random.pick(heavyQueries))}`));

const goneClient: Attack = async (victim, random) => {
  const query = encodeURIComponent(random.pick(heavyQueries));
  await rawRequest(victim.port, head("GET", `/api/v1/query?query=${query}`), random.below(30));
  return "gone";
};

const writeHeaders = ["Content-Encoding: snappy", "X-Prometheus-Remote-Write-Version: 0.1.0"];

const anyWrite: Attack = (victim, random) => {
  const message = variant(victim, random, "write", messages);
  const body = codecs.snappy.compress(message);
  if (random.chance(0.3) && body.length > 0) body[random.below(body.length)] ^= 1 << random.below(8);
  return send(victim, withBody("POST", "/api/v1/write", "application/x-protobuf", body, ...writeHeaders));
};

const requestSeeds: Material = {
  seeds: [
    head("GET", "/api/v1/query?query=control", "Accept-Encoding: gzip", "Origin: http://a.org"),
    withBody("POST", "/api/v1/query", "application/x-www-form-urlencoded", encodeUtf8("query=control")),
    head("POST", "/api/v1/query", "Transfer-Encoding: chunked"),
    joined(
      head("POST", "/api/v1/write", "Transfer-Encoding: chunked"),
      encodeUtf8("5\r\nhello\r\n0\r\n\r\n"),
    ),
    joined(
      head("POST", "/api/v1/write", "Content-Length: 1000", "Expect: 100-continue"),
      encodeUtf8("short"),
    ),
    head("GET", "/api/v1/labels", "Upgrade: h2c", "Connection: upgrade"),
  ],
  dictionary: texts(
    "\r\n",
    "\r\n\r\n",
    "HTTP/1.1",
    "HTTP/2.0",
    "Content-Length: -1\r\n",
    "chunked",
    "\0",
    ": ",
    "ffffffff\r\n",
  ),
};

/** Not even HTTP any more: whatever the server makes of it, we do not wait for it. */
const anyBytes: Attack = async (victim, random) => {
  const bytes = variant(victim, random, "bytes", requestSeeds);
  const { status } = await rawRequest(victim.port, bytes, 200);
  return status === 0 ? "closed" : String(status);
};

const slowClient: Attack = async (victim, random) => {
  const whole = random.pick(requestSeeds.seeds);
  await rawRequest(victim.port, whole.subarray(0, random.below(whole.length)), 300);
  return "slow";
};

/** A configuration that cannot be right changes nothing; the good one is there again afterwards. */
const brokenReload: Attack = async (victim, random) => {
  const path = join(victim.dir, "prometheus.yml");
  const broken = joined(variant(victim, random, "config", configs), encodeUtf8("\n\nno_such_key: 1\n"));
  writeFileSync(path, broken);
  try {
    const { status, text } = await rawRequest(victim.port, head("POST", "/-/reload"));
    if (status !== 500 || !text.includes("failed to reload config"))
      throw new Error(`a reload answered ${text}`);
  } finally {
    writeFileSync(path, victim.config);
  }
  const { status, text } = await rawRequest(victim.port, head("POST", "/-/reload"));
  if (status !== 200) throw new Error(`the good configuration is refused: ${text}`);
  return "refused";
};

const anyTargetFile: Attack = async (victim, random) => {
  writeFileSync(join(victim.dir, "targets.yml"), variant(victim, random, "targets", targetFiles));
  return "written";
};

/** How often each comes among all. Those that share a file must not run at the same time: they are not in here. */
export const attacks: readonly (readonly [name: string, weight: number, attack: Attack])[] = [
  ["paths", 2, anyPath],
  ["parameters", 8, anyParameters],
  ["forms", 4, anyForm],
  ["queries", 8, anyQuery],
  ["heavy queries", 0.3, heavyQuery],
  ["gone clients", 1, goneClient],
  ["writes", 8, anyWrite],
  ["bytes", 4, anyBytes],
  ["slow clients", 1, slowClient],
];

/** One after the other, beside the others. */
export const fileAttacks: readonly (readonly [name: string, attack: Attack])[] = [
  ["broken configurations", brokenReload],
  ["target files", anyTargetFile],
];
