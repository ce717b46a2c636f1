import type { MediaType } from "./content-type.ts";
import type { ExpositionParser } from "./events.ts";
import { OpenMetricsParser } from "./openmetrics-parser.ts";
import { ProtobufParser } from "./protobuf-parser.ts";
import { TextParser } from "./text-parser.ts";

/**
 * The parser of a format, at the beginning of `bytes`, which must not change while it is used. `wantsStartTimes`: of
 * OpenMetrics, whose `_created` lines are no series then.
 */
export function newParser(
  mediaType: MediaType,
  bytes: Uint8Array,
  wantsStartTimes = false,
): ExpositionParser {
  switch (mediaType) {
    case "text/plain":
      return new TextParser(bytes);
    case "application/openmetrics-text":
      return new OpenMetricsParser(bytes, wantsStartTimes);
    case "application/vnd.google.protobuf":
      return new ProtobufParser(bytes);
  }
}
