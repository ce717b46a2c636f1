// A page's entries as text, one line each, so that tests can say what a parser should find.
import { ParseError } from "../../src/base/errors.ts";
import { Entry, type ExpositionParser } from "../../src/textparse/events.ts";

/** Every entry up to the end or the first error, which is the last line, behind "!". */
export function renderEntries(parser: ExpositionParser): string[] {
  const lines: string[] = [];
  try {
    for (;;) {
      const entry = parser.next();
      if (entry === Entry.eof) return lines;
      lines.push(renderEntry(parser, entry));
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return [...lines, `! ${error.message}`];
  }
}

function renderEntry(parser: ExpositionParser, entry: Entry): string {
  switch (entry) {
    case Entry.type:
      return `type ${parser.familyName()} ${parser.metricType}`;
    case Entry.help:
      return `help ${parser.familyName()} ${JSON.stringify(parser.text())}`;
    case Entry.unit:
      return `unit ${parser.familyName()} ${parser.text()}`;
    case Entry.comment:
      return `comment ${JSON.stringify(parser.text())}`;
    default:
      return renderSample(parser);
  }
}

function renderSample(parser: ExpositionParser): string {
  const time = parser.hasTimestamp ? ` @${parser.t}` : "";
  const exemplar = parser.exemplar();
  const behind =
    exemplar === undefined
      ? ""
      : ` # ${renderLabels(exemplar.labels)} ${exemplar.value}${exemplar.hasTimestamp ? ` @${exemplar.t}` : ""}`;
  return `${renderLabels(parser.labels())} ${renderValue(parser.value)}${time}${behind}`;
}

export function renderLabels(pairs: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) parts.push(`${pairs[i]}=${JSON.stringify(pairs[i + 1])}`);
  return `{${parts.join(",")}}`;
}

/** NaN with its bits: there is only one that a text may give. */
function renderValue(value: Float64Array): string {
  const bits = new BigUint64Array(value.slice(0, 1).buffer)[0];
  if (Number.isNaN(value[0])) return bits === 0x7ff8000000000001n ? "NaN" : `NaN:${bits.toString(16)}`;
  return Object.is(value[0], -0) ? "-0" : String(value[0]);
}
