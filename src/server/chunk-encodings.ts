/** Which encodings chunks get, by command line and configuration, and who can read them. */
import type { Logger } from "../base/env.ts";
import type { TsdbConfig } from "../config/config.ts";
import type { ChunkSettings } from "../runtime/settings.ts";

/** The configuration's word for floats counts more than the command line's. */
export function configuredEncodings(
  flags: ChunkSettings,
  floats: TsdbConfig["floatChunkEncoding"],
): ChunkSettings {
  return floats === "" ? flags : { ...flags, floats };
}

/** One line, where what is written is more than Prometheus 3.5 can read. */
export function sayWhoCanRead(logger: Logger, encodings: ChunkSettings, keepsStarts: boolean): void {
  const oldest = oldestReader(encodings, keepsStarts);
  if (oldest === undefined) return;
  logger.warn("What is written from now on is for this Prometheus and later ones; older ones fail on it", {
    prometheus: oldest,
    floatChunkEncoding: encodings.floats,
    histogramChunksWithStartTimes: encodings.histogramStarts,
    startTimesInLog: keepsStarts,
  });
}

/** The first Prometheus that reads these chunks, and the log where start times are in it; undefined: 3.5 does. */
export function oldestReader(
  { floats, histogramStarts }: ChunkSettings,
  keepsStarts: boolean,
): string | undefined {
  if (histogramStarts) return "3.14";
  if (keepsStarts) return "3.12";
  return floats === "xor2" ? "3.11" : undefined;
}
