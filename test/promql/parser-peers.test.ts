/**
 * Our parser against a real Prometheus: the queries of the scripts and seeded mutations of them are accepted or refused
 * alike, with the same error text, and print the same. Where 3.14, which we follow, differs from the 3.5 at hand is
 * listed here.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/random.mjs";
import { startServer } from "../../bench/servers.mjs";
import { parseExpression } from "../../src/promql/parser/parser.ts";
import { printExpression } from "../../src/promql/parser/printer.ts";
import { havePeers, sharedData } from "../peers/find.ts";
import { parseScript } from "./script.ts";

const peers = havePeers("the PromQL parser against Prometheus", "prometheus");
const upstream = peers
  ? sharedData("the PromQL parser against Prometheus: Prometheus's queries", "promqltest")
  : undefined;
const seed = Number(process.env.NARTHEX_SEED ?? 1);
const mutations = Number(process.env.NARTHEX_MUTATIONS ?? 500);

/** Pieces that mutations put in. */
const pieces =
  `foo a:b sum by without ( ) { } [ ] , + - * / % ^ == != < <= > >= and or unless atan2 bool on ignoring group_left
  group_right offset @ 5m 1 0 -1 2.5 0x1F inf nan 1e3 "x" 'y' \`z\` a="b" c!~"d" = =~ !~ : rate( abs( topk( topk
  count_values("a", quantile(0.5, #c 010 08 1_000 5mm 1h30m [5m] [5m:1m] [5m:] time() pi() histogram_quantile( é $ 🔥 \\
  ! 0. 5. 1e 0s label_replace( scalar( vector( 9999999999999999999 by(a,b) on(a) -(1) 1.5h 0x 1e400 {__name__="a"} {}`.split(
    /\s+/,
  );

describe.skipIf(!peers)(`against Prometheus (seed ${seed})`, () => {
  let dir = "";
  let server: Awaited<ReturnType<typeof startServer>>;
  const queries = [...new Set([join(import.meta.dirname, "ours"), upstream].flatMap(scriptQueries))];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "narthex-parser-"));
    server = await startServer("prometheus", dir);
  });
  afterAll(async () => {
    await server?.kill();
    rmSync(dir, { recursive: true });
  });

  test("every fourth query of the scripts", async () => {
    const old = queries.filter((query) => !isNew(query));
    const differences = await compareAll(old.filter((_, i) => (i + seed) % 4 === 0));
    expect(differences).toEqual([]);
  });

  test(`${mutations} mutations`, async () => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)];
    const mutated: string[] = [];
    while (mutated.length < mutations) {
      const query = mutate(pick(queries), pick, random);
      if (!isNew(query)) mutated.push(query);
    }
    const differences = await compareAll(mutated);
    expect(differences).toEqual([]);
  });

  async function compareAll(list: readonly string[]): Promise<string[]> {
    const differences: string[] = [];
    for (const query of list) {
      const ours = answer(query);
      const theirs = await formatQuery(server.url, query);
      if (!isSame(ours, theirs))
        differences.push(`${JSON.stringify(query)}\n ours   ${ours}\n theirs ${theirs}`);
    }
    return differences;
  }
});

function scriptQueries(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".test"))
    .flatMap((name) => parseScript(readFileSync(join(directory, name), "utf8")))
    .flatMap((command) => (command.kind === "eval" ? [command.query] : []));
}

/** What only 3.14 knows, or words differently: new words, duration expressions, histogram trimming, `@` as unexpected. */
function isNew(query: string): boolean {
  return (
    /\b(start|end|step|range|min_of|max_of|fill\w*|anchored|smoothed|first_over_time|ts_of_\w+|histogram_quantiles|start_timestamp|mad_over_time|info)\b/i.test(
      query,
    ) ||
    /<\/|>\/|@|\\x[89a-f]|\\[23]\d\d/i.test(query) ||
    /(?:offset|\[)[^\]]*[()+*/%^-]/i.test(query)
  );
}

function mutate(query: string, pick: <T>(list: readonly T[]) => T, random: { uniform(): number }): string {
  const count = 1 + Math.floor(random.uniform() * 3);
  for (let i = 0; i < count; i++) {
    const words = query.split(/(?<=[\s(){}[\],+*/^=<>-])|(?=[\s(){}[\],+*/^=<>-])/);
    const at = Math.floor(random.uniform() * words.length);
    const removed = Math.floor(random.uniform() * 2);
    const added = random.uniform() < 0.7 ? [pick([" ", ""]), pick(pieces), pick([" ", ""])] : [];
    words.splice(at, removed, ...added);
    query = words.join("");
  }
  return query;
}

function answer(query: string): string {
  try {
    return printExpression(parseExpression(query));
  } catch (error) {
    return (error as Error).message;
  }
}

/** The canonical form, or the error. */
async function formatQuery(url: string, query: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/format_query`, {
    method: "POST",
    body: new URLSearchParams({ query }),
  });
  const { data, error } = (await response.json()) as { data?: string; error?: string };
  return data ?? (error ?? "").replace(/^invalid parameter "query": /, "");
}

function isSame(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  // Long queries come back over several lines.
  if (theirs.includes("\n") && !ours.includes("parse error")) return true;
  // 3.5 stumbles over some broken groupings, and leaves out `ignoring ()` before a group.
  if (theirs === "unexpected error") return ours.includes("parse error");
  if (ours.replace(/ ignoring \(\) group_(left|right) \([^)]*\)/g, "") === theirs) return true;
  // A label with a colon is quoted since 3.10.
  if (ours.replace(/"(:[\w:]*|\w+:[\w:]*)"/g, "$1") === theirs) return true;
  // Texts about brackets and offsets are new in 3.14.
  const bracket = /in (subquery|offset)|expected ':'|unexpected colon|duration expression/;
  return bracket.test(ours) && ours.includes("parse error") && theirs.includes("parse error");
}
