// What Linux says of a running process: CPU seconds and memory, all its threads together.
import { readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** User and system CPU seconds so far. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** {VmRSS, VmHWM, RssAnon} in MiB. */
export function memoryMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN) / 1024;
  return { VmRSS: read("VmRSS"), VmHWM: read("VmHWM"), RssAnon: read("RssAnon") };
}
