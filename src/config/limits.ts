/** The limits that the `global` block and every job have alike. 0 means "no limit". */
import type { FieldReaders } from "./yaml-node.ts";

export interface Limits {
  bodySizeLimitBytes: number;
  sampleLimit: number;
  targetLimit: number;
  labelLimit: number;
  labelNameLengthLimit: number;
  labelValueLengthLimit: number;
  keepDroppedTargets: number;
}

export const noLimits: Limits = {
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  keepDroppedTargets: 0,
};

export function limitReaders(limits: Limits): FieldReaders {
  return {
    body_size_limit: (node) => {
      limits.bodySizeLimitBytes = node.bytes();
    },
    sample_limit: (node) => {
      limits.sampleLimit = node.count();
    },
    target_limit: (node) => {
      limits.targetLimit = node.count();
    },
    label_limit: (node) => {
      limits.labelLimit = node.count();
    },
    label_name_length_limit: (node) => {
      limits.labelNameLengthLimit = node.count();
    },
    label_value_length_limit: (node) => {
      limits.labelValueLengthLimit = node.count();
    },
    keep_dropped_targets: (node) => {
      limits.keepDroppedTargets = node.count();
    },
  };
}

/** What a job leaves at 0 comes from the `global` block. */
export function inheritLimits(own: Limits, global: Limits): Limits {
  return {
    bodySizeLimitBytes: own.bodySizeLimitBytes || global.bodySizeLimitBytes,
    sampleLimit: own.sampleLimit || global.sampleLimit,
    targetLimit: own.targetLimit || global.targetLimit,
    labelLimit: own.labelLimit || global.labelLimit,
    labelNameLengthLimit: own.labelNameLengthLimit || global.labelNameLengthLimit,
    labelValueLengthLimit: own.labelValueLengthLimit || global.labelValueLengthLimit,
    keepDroppedTargets: own.keepDroppedTargets || global.keepDroppedTargets,
  };
}
