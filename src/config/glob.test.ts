import { expect, test } from "vitest";
import { MemFs } from "../testkit/mem-fs.ts";
import { checkGlob, glob } from "./glob.ts";
import { cleanPath, dirName, joinDirectory } from "./path.ts";

const fs = new MemFs();
for (const path of [
  "/a/x.yml",
  "/a/y.yml",
  "/a/z.json",
  "/a/b/x.yml",
  "/c/x.yml",
  "/a/[w].yml",
  "/a/ü.yml",
]) {
  fs.makeDir(dirName(path));
  fs.open(path, "create").close();
}

test.each([
  ["/a/*.yml", ["/a/[w].yml", "/a/x.yml", "/a/y.yml", "/a/ü.yml"]],
  ["/a/?.yml", ["/a/x.yml", "/a/y.yml", "/a/ü.yml"]],
  ["/a/[xz].*", ["/a/x.yml", "/a/z.json"]],
  ["/a/[^x-y].*", ["/a/z.json", "/a/ü.yml"]],
  ["/a/\\[w\\].yml", ["/a/[w].yml"]],
  ["/*/x.yml", ["/a/x.yml", "/c/x.yml"]],
  ["/a/*/x.yml", ["/a/b/x.yml"]],
  ["/a/x.yml", ["/a/x.yml"]],
  ["/a/none.yml", []],
  ["/none/*.yml", []],
  ["/a/x.yml/*", []],
  ["/a/[z-a].yml", []],
])("%s finds %j", (pattern, found) => {
  expect(glob(fs, pattern)).toEqual(found);
});

test.each(["[", "a[", "[]", "[a", "a\\", "[-a]", "[a-]"])("the pattern %s is refused", (pattern) => {
  expect(() => checkGlob(pattern)).toThrow(/syntax error in pattern/);
});

test.each([
  ["/etc/", "a.yml", "/etc/a.yml"],
  ["/etc", "./x/../a.yml", "/etc/a.yml"],
  ["/etc", "../../a", "/a"],
  [".", "a", "a"],
  [".", "../a", "../a"],
  ["x", "", ""],
  ["x", "/a", "/a"],
])("in %j the path %j is %j", (dir, path, joined) => {
  expect(joinDirectory(dir, path)).toBe(joined);
});

test("clean paths", () => {
  expect([cleanPath("a/.."), cleanPath("/.."), cleanPath("a//b/./c/"), cleanPath("../../x")]).toEqual([
    ".",
    "/",
    "a/b/c",
    "../../x",
  ]);
  expect([dirName("a"), dirName("/a"), dirName("/a/b"), dirName("a/b")]).toEqual([".", "/", "/a", "a"]);
});
