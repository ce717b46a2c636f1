/**
 * Which file system holds a directory, and whether a database should trust it. Ours needs what POSIX promises: a rename
 * replaces at once, what was synced stays, a lock is seen by every process, a removed file stays readable for those who
 * have it open. Network file systems promise less, and break rarely enough to go unnoticed until data is lost.
 */
import { readFileSync, statfsSync } from "node:fs";

export interface FileSystemInfo {
  /** As mount(8) calls it where /proc/mounts tells ("nfs4", "fuse.s3fs"); else by its number. */
  readonly type: string;
  /** What is wrong with it, as a sentence with what to do; "" where nothing is known to be. */
  readonly problem: string;
}

const advice =
  "Samples and whole blocks may be lost or damaged beyond repair. Move the data (--storage.tsdb.path) to a local disk " +
  "or a block device: ext4 or XFS on a disk, EBS, a persistent disk or a Ceph RBD volume";

const network = (what: string) =>
  `${what} is not supported for the data directory, neither here nor by Prometheus: ${advice}.`;

/** By the number that statfs returns. */
const byNumber = new Map<number, { readonly type: string; readonly problem: string }>([
  [0x6969, { type: "nfs", problem: network("NFS (Amazon EFS is NFS too)") }],
  [0xff534d42, { type: "cifs", problem: network("CIFS/SMB") }],
  [0xfe534d42, { type: "smb2", problem: network("SMB") }],
  [0x517b, { type: "smb", problem: network("SMB") }],
  [0x01021997, { type: "9p", problem: network("9p (a directory shared by a host, as under WSL)") }],
  [0x5346414f, { type: "afs", problem: network("AFS") }],
  [0x73757245, { type: "coda", problem: network("Coda") }],
  [0x564c, { type: "ncp", problem: network("NCP") }],
  [0x4d44, { type: "vfat", problem: withoutLinks("FAT") }],
  [0x2011bab0, { type: "exfat", problem: withoutLinks("exFAT") }],
  [0x65735546, { type: "fuse", problem: "" }],
  [0xef53, { type: "ext4", problem: "" }],
  [0x58465342, { type: "xfs", problem: "" }],
  [0x9123683e, { type: "btrfs", problem: "" }],
  [0x2fc12fc1, { type: "zfs", problem: "" }],
  [0xf2f52010, { type: "f2fs", problem: "" }],
  [0x01021994, { type: "tmpfs", problem: "" }],
  [0x794c7630, { type: "overlay", problem: "" }],
]);

function withoutLinks(what: string): string {
  return `${what} has no hard links and no safe renames: snapshots fail, and a power cut may damage the data. Use ext4 or XFS.`;
}

/** FUSE file systems over a network or an object store; others, as mergerfs, are as good as what is below them. */
const remoteFuse =
  /^fuse\.(s3fs|goofys|gcsfuse|rclone|sshfs|glusterfs|blobfuse2?|mount-s3|curlftpfs|davfs2?)$/;

/** Undefined where the system does not tell. */
export function fileSystemOf(dir: string): FileSystemInfo | undefined {
  let number: number;
  try {
    number = statfsSync(dir).type;
  } catch {
    return undefined;
  }
  return describeFileSystem(number, mountedType(dir));
}

/** From the number of statfs and the type that /proc/mounts has; "" where that is not known. */
export function describeFileSystem(number: number, mounted: string): FileSystemInfo {
  const known = byNumber.get(number);
  const type = mounted || known?.type || `0x${number.toString(16)}`;
  if (remoteFuse.test(type)) return { type, problem: network(type) };
  return { type, problem: known?.problem ?? "" };
}

/** The type of the mount that holds `dir`, which is absolute; "" where /proc/mounts is not there. */
function mountedType(dir: string): string {
  try {
    return typeInMounts(readFileSync("/proc/mounts", "utf8"), dir);
  } catch {
    return "";
  }
}

/** The longest mount point that is `dir` or above it; of equal ones the last, which lies over the others. */
export function typeInMounts(mounts: string, dir: string): string {
  let best = "";
  let type = "";
  for (const line of mounts.split("\n")) {
    const [, escaped, found] = line.split(" ");
    if (found === undefined) continue;
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = point === "/" || dir === point || dir.startsWith(`${point}/`);
    if (isAbove && point.length >= best.length) [best, type] = [point, found];
  }
  return type;
}

/** What is free for us and how large it all is, in bytes; undefined where the system does not tell. */
export function diskSpace(
  dir: string,
): { readonly freeBytes: number; readonly totalBytes: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(dir);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}
