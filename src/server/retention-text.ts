import type { TsdbConfig } from "../config/config.ts";
import { formatSize } from "../config/size.ts";
import { formatDuration } from "../model/duration.ts";

/** As status/runtimeinfo shows it: "15d", "15d or 1GiB or 80%". */
export function describeRetention({ timeMs, sizeBytes, percentage }: TsdbConfig["retention"]): string {
  const bounds = [];
  if (timeMs !== 0) bounds.push(formatDuration(timeMs));
  if (sizeBytes !== 0) bounds.push(formatSize(sizeBytes));
  if (percentage !== 0) bounds.push(`${percentage}%`);
  return bounds.join(" or ");
}
