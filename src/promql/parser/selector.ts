import { ParseError } from "../../base/errors.ts";
import { metricName } from "../../model/labels.ts";
import { Matcher, type MatchType } from "../../model/matcher.ts";
import type { VectorSelector } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { unquote } from "./string-literal.ts";
import type { Token } from "./token.ts";

const within = "label matching";
const identifier = { within, expected: 'identifier or "}"' };
const operator = { within, expected: "label matching operator" };
const string = { within, expected: "string" };
const separator = { within, expected: '"," or "}"' };

const matchTypes: ReadonlySet<string> = new Set<MatchType>(["=", "!=", "=~", "!~"]);

/** `{…}`, or what may follow a metric's name, whose token is `name`. */
export function parseVectorSelector(cursor: Cursor, name: Token | undefined): VectorSelector {
  const hasBraces = name === undefined || cursor.peek().type === "{";
  const start = name?.start ?? cursor.peek().start;
  const braces = hasBraces ? parseBraces(cursor) : { matchers: [], end: (name as Token).end };
  if (name !== undefined) braces.matchers.push(new Matcher("=", metricName, name.text));
  return {
    kind: "vectorSelector",
    name: name?.text ?? "",
    matchers: braces.matchers,
    offsetMs: 0,
    offsetExpr: undefined,
    at: undefined,
    anchored: false,
    smoothed: false,
    start,
    end: braces.end,
  };
}

function parseBraces(cursor: Cursor): { matchers: Matcher[]; end: number } {
  if (cursor.accept("{") === undefined) return cursor.unexpected();
  const matchers: Matcher[] = [];
  for (;;) {
    const empty = cursor.accept("}");
    if (empty !== undefined) return { matchers, end: empty.end };
    matchers.push(parseMatcher(cursor));
    if (cursor.accept(",") !== undefined) continue;
    const closing = cursor.accept("}");
    if (closing !== undefined) return { matchers, end: closing.end };
    return cursor.unexpected(separator);
  }
}

/** `name="value"`, `"quoted name"=~"value"`, or a metric's name in quotes. */
function parseMatcher(cursor: Cursor): Matcher {
  const { type } = cursor.peek();
  if (type !== "IDENTIFIER" && type !== "STRING") return cursor.unexpected(identifier);
  const token = cursor.next();
  const name = type === "STRING" ? unquote(token.text) : token.text;
  if (!matchTypes.has(cursor.peek().type)) {
    return type === "STRING" ? new Matcher("=", metricName, name) : cursor.unexpected(operator);
  }
  const matchType = cursor.next().type as MatchType;
  if (cursor.peek().type !== "STRING") return cursor.unexpected(string);
  const value = unquote(cursor.next().text);
  try {
    return new Matcher(matchType, name, value);
  } catch (error) {
    if (error instanceof ParseError) return cursor.fail(token.start, error.message);
    throw error;
  }
}
