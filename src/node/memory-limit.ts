/**
 * How much memory this process may use: the machine's, or less where a control group bounds it or one of the groups
 * around it (version 2: `memory.max`; version 1: `memory.limit_in_bytes`).
 */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

/** The text of a file; undefined where it cannot be read. */
type Read = (path: string) => string | undefined;

const root = "/sys/fs/cgroup";

export function usableMemoryBytes(machineBytes = totalmem(), read: Read = readText): number {
  let limit = machineBytes;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    // hierarchy:controllers:path; version 2 has no controllers.
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers === "") limit = Math.min(limit, lowest(read, root, path, "memory.max"));
    else if (controllers.split(",").includes("memory")) {
      limit = Math.min(limit, lowest(read, `${root}/memory`, path, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

/**
 * The lowest limit from the group up to the mount point. Inside a container the path may be one that only its host
 * knows: what is not there says nothing, and the mount point itself is the container's group.
 */
function lowest(read: Read, mount: string, path: string, file: string): number {
  let lowest = Number.POSITIVE_INFINITY;
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  for (let depth = parts.length; depth >= 0; depth--) {
    const text = read([mount, ...parts.slice(0, depth), file].join("/"))?.trim() ?? "";
    // "max", and in version 1 a number beyond all memory, mean that there is no limit.
    if (/^\d+$/.test(text) && Number(text) > 0) lowest = Math.min(lowest, Number(text));
  }
  return lowest;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
