/** series, labels and label values, in the query thread. */
import { QueryError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/strings.ts";
import { compareLabels, type Labels } from "../model/labels.ts";
import type { Matcher } from "../model/matcher.ts";
import type { Querier, QueryContext } from "../storage/querier.ts";
import { ApiError, annotations, invalidParameter, jsonAnswer } from "./answer.ts";
import { truncatedWarning } from "./answer-promql.ts";
import { goString } from "./json/go-json.ts";
import { JsonWriter } from "./json/json-writer.ts";
import { labelsJson } from "./json/labels-json.ts";
import type { QueryRunOptions, QuerySources } from "./query-sources.ts";
import { checkMatches } from "./select-matchers.ts";
import type { Answer, LabelsRequest, LabelValuesRequest, SeriesRequest } from "./services.ts";

type SelectionRequest = SeriesRequest | LabelsRequest | LabelValuesRequest;
type MatcherSets = readonly (readonly Matcher[])[];

/** How often a long list looks whether the client is still there. */
const checkEvery = 128;

/** Throws a QueryError, a ParseError or an ApiError. */
export function answerSelection(
  sources: Pick<QuerySources, "queryable" | "selectionBytesMax">,
  request: SelectionRequest,
  options: QueryRunOptions,
): Answer {
  const sets = matcherSetsOf(request);
  const context = new SelectionContext(options, sources.selectionBytesMax);
  const querier = sources.queryable.querier(request.startMs, request.endMs);
  try {
    if (request.kind === "series")
      return listAnswer(request, selectSeries(context, querier, sets, request), labelsJson, context);
    const names = collectNames(
      sets,
      (matchers, limit) =>
        request.kind === "labels"
          ? querier.labelNames(context, matchers, limit)
          : querier.labelValues(context, request.name, matchers, limit),
      request.limit,
    );
    return listAnswer(request, names, goString, context);
  } finally {
    querier.close();
  }
}

function matcherSetsOf(request: SelectionRequest): MatcherSets {
  if (request.kind === "labelValues" && request.name === "") {
    throw new ApiError("bad_data", `invalid label name: ${quote(request.name)}`);
  }
  if (request.kind !== "series") return checkMatches(request.matches);
  try {
    return checkMatches(request.matches);
  } catch (error) {
    throw error instanceof ApiError ? invalidParameter("match[]", error.message) : error;
  }
}

/** One more than wanted, so that it shows when there are more. */
const oneMore = (limit: number) => (limit === 0 ? 0 : limit + 1);

/** Of one selector in the storage's order, of several merged and sorted by labels. */
function selectSeries(
  context: QueryContext,
  querier: Querier,
  sets: MatcherSets,
  { startMs, endMs }: SeriesRequest,
): Labels[] {
  const hints = { startMs, endMs, stepMs: 0, func: "series" };
  const several = sets.length > 1;
  const found = sets.map((matchers) =>
    querier.select(context, matchers, startMs, endMs, hints, several).map(({ labels }) => labels),
  );
  if (!several) return found[0];
  const merged = new Map<string, Labels>();
  for (const labels of found.flat()) merged.set(labels.key, labels);
  return [...merged.values()].sort(compareLabels);
}

function collectNames(
  sets: MatcherSets,
  namesOf: (matchers: readonly Matcher[], limit: number) => readonly string[],
  limit: number,
): readonly string[] {
  if (sets.length <= 1) return namesOf(sets[0] ?? [], oneMore(limit));
  const names = new Set(sets.flatMap((matchers) => namesOf(matchers, oneMore(limit))));
  return [...names].sort(compareUtf8);
}

/** `{"status":"success","data":[…]}`, at most `limit` entries, with a warning where there are more. */
function listAnswer<T>(
  { limit }: SelectionRequest,
  entries: readonly T[],
  jsonOf: (entry: T) => string,
  context: QueryContext,
): Answer {
  const shown = limit > 0 ? Math.min(limit, entries.length) : entries.length;
  const writer = new JsonWriter();
  writer.raw('{"status":"success","data":[');
  for (let i = 0; i < shown; i++) {
    if (i % checkEvery === 0) context.check();
    if (i > 0) writer.raw(",");
    writer.raw(jsonOf(entries[i]));
  }
  writer.raw(`]${annotations(shown < entries.length ? [truncatedWarning] : [], [])}}`);
  return jsonAnswer(writer.finish());
}

/** The limits of such a request: no timeout, as in Prometheus, but an end when the client goes away. */
class SelectionContext implements QueryContext {
  readonly #cancelled: Int32Array | undefined;
  readonly #heldKiB: Int32Array | undefined;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor({ cancelled, heldKiB }: QueryRunOptions, bytesMax: number) {
    this.#cancelled = cancelled;
    this.#heldKiB = heldKiB;
    this.#bytesMax = bytesMax;
  }

  check(): void {
    if (this.#cancelled !== undefined && Atomics.load(this.#cancelled, 0) !== 0) {
      throw new QueryError("canceled", "context canceled");
    }
  }

  chargeBytes(count: number): void {
    this.#bytes += count;
    this.#report();
    if (this.#bytes <= this.#bytesMax) return;
    const mebibytes = Math.floor(this.#bytesMax / 2 ** 20);
    throw new QueryError(
      "execution",
      `the selection would use more than ${mebibytes} MiB of memory; narrow match[], start and end`,
    );
  }

  releaseBytes(count: number): void {
    this.#bytes -= count;
    this.#report();
  }

  #report(): void {
    if (this.#heldKiB !== undefined) this.#heldKiB[0] = this.#bytes / 1024;
  }
}
