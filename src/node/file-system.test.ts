import { expect, test } from "vitest";
import { describeFileSystem, diskSpace, fileSystemOf, typeInMounts } from "./file-system.ts";

test.each([
  ["NFS by its number", 0x6969, "", "nfs", /^NFS \(Amazon EFS is NFS too\) is not supported.*Move the data/],
  ["NFS as /proc/mounts has it", 0x6969, "nfs4", "nfs4", /is not supported/],
  ["a Windows share", 0xff534d42, "cifs", "cifs", /^CIFS\/SMB is not supported/],
  ["an object store through FUSE", 0x65735546, "fuse.s3fs", "fuse.s3fs", /^fuse\.s3fs is not supported/],
  ["a local FUSE file system", 0x65735546, "fuse.mergerfs", "fuse.mergerfs", /^$/],
  ["FAT", 0x4d44, "vfat", "vfat", /no hard links/],
  ["ext4", 0xef53, "ext4", "ext4", /^$/],
  ["one that nobody knows", 0x12345, "", "0x12345", /^$/],
])("%s", (_, number, mounted, type, problem) => {
  const found = describeFileSystem(number, mounted);
  expect(found.type).toBe(type);
  expect(found.problem).toMatch(problem);
});

test("the mount that holds a directory is the innermost, of equal ones the last", () => {
  const mounts = [
    "/dev/vda / ext4 rw 0 0",
    "tmpfs /data tmpfs rw 0 0",
    "server:/x /data nfs4 rw 0 0",
    "server:/y /with\\040space nfs rw 0 0",
    "/dev/vdb /data/local xfs rw 0 0",
    "",
  ].join("\n");
  expect(typeInMounts(mounts, "/home")).toBe("ext4");
  expect(typeInMounts(mounts, "/data")).toBe("nfs4");
  expect(typeInMounts(mounts, "/data/tsdb")).toBe("nfs4");
  expect(typeInMounts(mounts, "/database")).toBe("ext4");
  expect(typeInMounts(mounts, "/data/local/tsdb")).toBe("xfs");
  expect(typeInMounts(mounts, "/with space/tsdb")).toBe("nfs");
  expect(typeInMounts("", "/data")).toBe("");
});

test("of a real directory", () => {
  expect(fileSystemOf("/")?.type).toMatch(/^\w/);
  expect(fileSystemOf("/does/not/exist")).toBeUndefined();
  expect(diskSpace("/")?.totalBytes).toBeGreaterThan(0);
  expect(diskSpace("/does/not/exist")).toBeUndefined();
});
