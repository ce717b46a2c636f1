/**
 * Which format a page is in, by its Content-Type header and the fallback that the configuration may name.
 * A media type is read by Go's rules (RFC 2045 tokens, parameters that must be well-formed though nobody uses them).
 */
export type MediaType = "text/plain" | "application/openmetrics-text" | "application/vnd.google.protobuf";

export interface ChosenFormat {
  /** Undefined: the scrape must fail. */
  readonly mediaType: MediaType | undefined;
  /** Why the scrape fails or the fallback was used; "" where the header was good. */
  readonly problem: string;
}

/** What `fallback_scrape_protocol` names stand for; the names' versions do not matter to a parser. */
const protocols: Readonly<Record<string, MediaType>> = {
  PrometheusProto: "application/vnd.google.protobuf",
  "PrometheusText0.0.4": "text/plain",
  "PrometheusText1.0.0": "text/plain",
  "OpenMetricsText0.0.1": "application/openmetrics-text",
  "OpenMetricsText1.0.0": "application/openmetrics-text",
};

/** `fallbackProtocol` is a scrape protocol's name from the configuration, "" where none is set. */
export function chooseFormat(contentType: string, fallbackProtocol: string): ChosenFormat {
  const fallback = Object.hasOwn(protocols, fallbackProtocol) ? protocols[fallbackProtocol] : undefined;
  const using = `using fallback_scrape_protocol ${JSON.stringify(fallback)}`;
  const fail = (withFallback: string, without: string, cause = ""): ChosenFormat => ({
    mediaType: fallback,
    problem: (fallback === undefined ? without : `${withFallback}, ${using}`) + cause,
  });
  if (contentType === "") {
    const blank = "non-compliant scrape target sending blank Content-Type";
    return fail(blank, `${blank} and no fallback_scrape_protocol specified for target`);
  }
  const quoted = JSON.stringify(contentType);
  const { mediaType, problem } = parseMediaType(contentType);
  if (problem !== "") {
    return fail(
      `could not parse received Content-Type ${quoted}`,
      `cannot parse Content-Type ${quoted} and no fallback_scrape_protocol for target`,
      `\n${problem}`,
    );
  }
  switch (mediaType) {
    case "text/plain":
    case "application/openmetrics-text":
    case "application/vnd.google.protobuf":
      return { mediaType, problem: "" };
    default:
      return fail(
        `received unsupported Content-Type ${quoted}`,
        `received unsupported Content-Type ${quoted} and no fallback_scrape_protocol specified for target`,
      );
  }
}

const token = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+/;
const space = /^\s+/;

function parseMediaType(text: string): { mediaType: string; problem: string } {
  const semicolon = text.indexOf(";");
  const base = semicolon < 0 ? text : text.slice(0, semicolon);
  const mediaType = base.trim().toLowerCase();
  const problem = checkType(mediaType);
  if (problem !== "") return { mediaType: "", problem };
  const parameters = new Map<string, string>();
  let rest = text.slice(base.length).replace(space, "");
  while (rest !== "") {
    const parameter = readParameter(rest);
    if (parameter === undefined) {
      if (rest.trim() === ";") break;
      return { mediaType: "", problem: "mime: invalid media parameter" };
    }
    const { name, value } = parameter;
    const earlier = parameters.get(name);
    if (earlier !== undefined && earlier !== value)
      return { mediaType: "", problem: "mime: duplicate parameter name" };
    parameters.set(name, value);
    rest = parameter.rest.replace(space, "");
  }
  return { mediaType, problem: "" };
}

function checkType(mediaType: string): string {
  const type = token.exec(mediaType)?.[0];
  if (type === undefined) return "mime: no media type";
  const behind = mediaType.slice(type.length);
  if (behind === "") return "";
  if (!behind.startsWith("/")) return "mime: expected slash after first token";
  const subtype = token.exec(behind.slice(1))?.[0];
  if (subtype === undefined) return "mime: expected token after slash";
  return subtype.length + 1 === behind.length ? "" : "mime: unexpected content after media subtype";
}

/** `; name=value`, the value a token or in double quotes. */
function readParameter(text: string): { name: string; value: string; rest: string } | undefined {
  if (!text.startsWith(";")) return undefined;
  let rest = text.slice(1).replace(space, "");
  const name = token.exec(rest)?.[0].toLowerCase();
  if (name === undefined) return undefined;
  rest = rest.slice(name.length).replace(space, "");
  if (!rest.startsWith("=")) return undefined;
  rest = rest.slice(1).replace(space, "");
  const value = rest.startsWith('"') ? quotedString(rest) : token.exec(rest)?.[0];
  if (value === undefined) return undefined;
  return { name, value, rest: rest.slice(value.length) };
}

const escapable = '()<>@,;:\\"/[]?=';

/** With its quotes; undefined where it is not closed. */
function quotedString(text: string): string | undefined {
  for (let i = 1; i < text.length; i++) {
    const c = text[i];
    if (c === '"') return text.slice(0, i + 1);
    if (c === "\r" || c === "\n") return undefined;
    if (c === "\\" && i + 1 < text.length && escapable.includes(text[i + 1])) i++;
  }
  return undefined;
}
