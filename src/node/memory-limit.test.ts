import { expect, test } from "vitest";
import { usableMemoryBytes } from "./memory-limit.ts";

const machine = 64 * 2 ** 30;
const v1None = "9223372036854771712\n";

test.each<[string, Record<string, string>, number]>([
  ["no control groups", {}, machine],
  [
    "version 2 without a limit",
    { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" },
    machine,
  ],
  [
    "version 2 in a container: the mount point is its group",
    { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "536870912\n" },
    536_870_912,
  ],
  [
    "version 2 with a limit on a group around it",
    {
      "/proc/self/cgroup": "0::/system.slice/narthex.service\n",
      "/sys/fs/cgroup/system.slice/narthex.service/memory.max": "max\n",
      "/sys/fs/cgroup/system.slice/memory.max": "1073741824\n",
    },
    2 ** 30,
  ],
  [
    "version 1",
    {
      "/proc/self/cgroup": "11:cpu,cpuacct:/a\n4:memory:/docker/0123\n1:name=systemd:/b\n",
      "/sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes": "2147483648\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": v1None,
    },
    2 ** 31,
  ],
  [
    "version 1 whose path only the host knows",
    {
      "/proc/self/cgroup": "4:memory:/docker/0123\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
    },
    2 ** 28,
  ],
  [
    "version 1 without a limit",
    { "/proc/self/cgroup": "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": v1None },
    machine,
  ],
  [
    "a limit above the machine's memory",
    { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1099511627776\n" },
    machine,
  ],
  ["nonsense", { "/proc/self/cgroup": "what\n0::/x\n", "/sys/fs/cgroup/x/memory.max": "-5\n" }, machine],
])("%s", (_name, files, want) => {
  expect(usableMemoryBytes(machine, (path) => files[path])).toBe(want);
});
