/** The `storage` block. */
import type { StorageConfig, TsdbConfig } from "./config.ts";
import type { ConfigNode } from "./yaml-node.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type Retention = TsdbConfig["retention"];

/** What is wrong with XOR chunks where start times are to be kept. */
export const xorHasNoStarts =
  "XOR chunks have no place for the start times that --enable-feature=st-storage keeps; xor2 expected";

/**
 * `flags` is the retention that the command line asks for; a `retention` block replaces it as a whole. `keepsStarts`: whether
 * the feature st-storage is on.
 */
export function readStorage(
  node: ConfigNode | undefined,
  flags: Retention,
  keepsStarts: boolean,
): StorageConfig {
  let tsdb: TsdbConfig = {
    outOfOrderTimeWindowMs: 0,
    staleSeriesCompactionThreshold: 0,
    floatChunkEncoding: "",
    retention: flags,
  };
  let exemplars: StorageConfig["exemplars"];
  node?.readFields({
    tsdb: (value) => {
      tsdb = readTsdb(value, tsdb, keepsStarts);
    },
    exemplars: (value) => {
      if (value.isNull) return;
      let maxExemplars = 0;
      value.readFields({
        max_exemplars: (count) => {
          maxExemplars = count.integer();
        },
      });
      exemplars = { maxExemplars };
    },
  });
  return { tsdb, exemplars };
}

function readTsdb(node: ConfigNode, defaults: TsdbConfig, keepsStarts: boolean): TsdbConfig {
  const tsdb: Mutable<TsdbConfig> = { ...defaults };
  node.readFields({
    out_of_order_time_window: (value) => {
      tsdb.outOfOrderTimeWindowMs = value.durationMs();
    },
    stale_series_compaction_threshold: (value) => {
      tsdb.staleSeriesCompactionThreshold = value.number();
      const threshold = tsdb.staleSeriesCompactionThreshold;
      if (!(threshold >= 0 && threshold <= 1))
        throw value.error(`a number from 0 to 1 expected, found ${threshold}`);
    },
    chunk_encoding: (value) =>
      value.readFields({
        floats: (encoding) => {
          if (encoding.isEmpty) return;
          tsdb.floatChunkEncoding = encoding.oneOf(["xor", "xor2"]);
          if (tsdb.floatChunkEncoding === "xor" && keepsStarts) throw encoding.error(xorHasNoStarts);
        },
      }),
    retention: (value) => {
      if (!value.isNull) tsdb.retention = readRetention(value);
    },
  });
  return tsdb;
}

function readRetention(node: ConfigNode): Retention {
  const retention = { timeMs: 0, sizeBytes: 0, percentage: 0 };
  node.readFields({
    time: (value) => {
      retention.timeMs = value.durationMs();
    },
    size: (value) => {
      retention.sizeBytes = value.bytes();
      if (retention.sizeBytes < 0) throw value.error(`a size >= 0 expected`);
    },
    percentage: (value) => {
      retention.percentage = value.number();
      if (!(retention.percentage >= 0 && retention.percentage <= 100)) {
        throw value.error(`a number from 0 to 100 expected, found ${retention.percentage}`);
      }
    },
  });
  return retention;
}
