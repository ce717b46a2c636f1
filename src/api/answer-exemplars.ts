/** query_exemplars, in the thread that can read the exemplars. */
import { ParseError } from "../base/errors.ts";
import { formatSampleValue } from "../model/format-float.ts";
import type { Matcher } from "../model/matcher.ts";
import { walk } from "../promql/parser/ast.ts";
import { parseExpression } from "../promql/parser/parser.ts";
import type { Exemplar } from "../storage/appender.ts";
import { failure, jsonAnswer, noContent } from "./answer.ts";
import { numberBytesMax, writeTimestamp } from "./json/json-number.ts";
import { JsonWriter } from "./json/json-writer.ts";
import { labelsJson } from "./json/labels-json.ts";
import type { ExemplarSource } from "./query-sources.ts";
import type { Answer, ExemplarsRequest } from "./services.ts";

/**
 * Throws nothing for what the client did. Without a selector in the query there is nothing to answer: 204, as Prometheus.
 */
export function answerExemplars(source: ExemplarSource | undefined, request: ExemplarsRequest): Answer {
  let selectors: readonly (readonly Matcher[])[];
  try {
    selectors = selectorsOf(request.query);
  } catch (error) {
    if (error instanceof ParseError) return failure("bad_data", error.message);
    throw error;
  }
  if (selectors.length === 0) return noContent();
  const found = source?.exemplars(request.startMs, request.endMs, selectors) ?? [];
  const writer = new JsonWriter();
  writer.raw('{"status":"success","data":[');
  for (const [i, { labels, exemplars }] of found.entries()) {
    writer.raw(`${i === 0 ? "" : ","}{"seriesLabels":${labelsJson(labels)},"exemplars":[`);
    for (const [k, exemplar] of exemplars.entries()) writeExemplar(writer, exemplar, k > 0);
    writer.raw("]}");
  }
  writer.raw("]}");
  return jsonAnswer(writer.finish());
}

/** Throws a ParseError. */
function selectorsOf(query: string): (readonly Matcher[])[] {
  const selectors: (readonly Matcher[])[] = [];
  walk(parseExpression(query), (node) => {
    if (node.kind === "vectorSelector") selectors.push(node.matchers);
  });
  return selectors;
}

function writeExemplar(writer: JsonWriter, { labels, value, t }: Exemplar, follows: boolean): void {
  const text = formatSampleValue(value);
  writer.raw(`${follows ? "," : ""}{"labels":${labelsJson(labels)},"value":"${text}","timestamp":`);
  const bytes = writer.reserve(numberBytesMax);
  writer.advance(writeTimestamp(bytes, writer.length, t));
  writer.raw("}");
}
