// One suite over every file system: the real one and the one in memory behave alike.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Fs } from "../base/fs.ts";
import { nodeFs } from "../node/fs.ts";
import { faultFs } from "./fault-fs.ts";
import { MemFs } from "./mem-fs.ts";
import { traceFs } from "./trace-fs.ts";

const real = mkdtempSync(join(tmpdir(), "narthex-fs-"));
afterAll(() => rmSync(real, { recursive: true, force: true }));

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const text = (content: Uint8Array) => Buffer.from(content).toString();

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
  return "no error";
}

let rooms = 0;
const systems: [string, () => [Fs, string]][] = [
  ["node", () => [nodeFs, join(real, String(rooms++))]],
  ["memory", () => [new MemFs(), "root"]],
  ["memory, watched", () => [traceFs(faultFs(new MemFs(), () => undefined)), "root"]],
];

describe.each(systems)("%s", (_, make) => {
  function room() {
    const [fs, root] = make();
    fs.makeDir(root);
    const write = (name: string, content: string) => {
      const file = fs.open(`${root}/${name}`, "replace");
      file.writeAt(bytes(content), 0);
      file.close();
    };
    const read = (name: string) => text(fs.readFile(`${root}/${name}`));
    return { fs, root, write, read };
  }

  test("a file grows where it is written, and reads end at its end", () => {
    const { fs, root } = room();
    const file = fs.open(`${root}/f`, "create");
    file.writeAt(bytes("abc"), 2);
    file.writeAt(bytes("XY"), 3);
    expect(file.size()).toBe(5);
    const into = new Uint8Array(10).fill(0x2e);
    expect(file.readAt(into, 1)).toBe(4);
    expect(text(into)).toBe("\0aXY......");
    expect(file.readAt(into, 5)).toBe(0);
    expect(file.readAt(into, 50)).toBe(0);
    expect(file.readAt(new Uint8Array(0), 0)).toBe(0);
    file.truncate(3);
    expect(file.size()).toBe(3);
    file.truncate(4);
    expect(text(fs.readFile(`${root}/f`))).toBe("\0\0a\0");
    file.sync();
    file.close();
    file.close();
    expect(file.path).toBe(`${root}/f`);
  });

  test("modes", () => {
    const { fs, root, write, read } = room();
    write("f", "old");
    for (const mode of ["read", "write"] as const) {
      expect(codeOf(() => fs.open(`${root}/none`, mode))).toBe("ENOENT");
      fs.open(`${root}/f`, mode).close();
      expect(read("f")).toBe("old");
    }
    expect(codeOf(() => fs.open(`${root}/f`, "create"))).toBe("EEXIST");
    expect(codeOf(() => fs.open(`${root}/no/f`, "create"))).toBe("ENOENT");
    const replaced = fs.open(`${root}/f`, "replace");
    expect(replaced.size()).toBe(0);
    replaced.writeAt(bytes("n"), 0);
    expect(text(fs.readFile(`${root}/f`))).toBe("n");
    replaced.close();
    const reader = fs.open(`${root}/f`, "read");
    expect(codeOf(() => reader.writeAt(bytes("x"), 0))).toBe("EBADF");
    reader.close();
    expect(codeOf(() => reader.size())).toBe("EBADF");
  });

  test("an open file lives on when its name is gone", () => {
    const { fs, root, write } = room();
    write("f", "content");
    const file = fs.open(`${root}/f`, "read");
    fs.removeFile(`${root}/f`);
    const into = new Uint8Array(7);
    file.readAt(into, 0);
    expect(text(into)).toBe("content");
    file.close();
  });

  test("stat and list", () => {
    const { fs, root, write } = room();
    write("b", "12345");
    write("a", "");
    fs.makeDir(`${root}/c/d`);
    fs.makeDir(`${root}/c/d`);
    expect(fs.list(root)).toEqual(["a", "b", "c"]);
    expect(fs.stat(`${root}/b`)).toMatchObject({ sizeBytes: 5, isDirectory: false });
    expect(fs.stat(`${root}/c/d`)).toMatchObject({ isDirectory: true });
    expect(fs.stat(`${root}/none`)).toBeUndefined();
    expect(codeOf(() => fs.list(`${root}/none`))).toBe("ENOENT");
    expect(codeOf(() => fs.readFile(`${root}/none`))).toBe("ENOENT");
    expect(codeOf(() => fs.list(`${root}/a`))).toBe("ENOTDIR");
  });

  test("rename replaces files and empty directories", () => {
    const { fs, root, write, read } = room();
    write("a", "A");
    write("b", "B");
    fs.rename(`${root}/a`, `${root}/b`);
    expect(fs.list(root)).toEqual(["b"]);
    expect(read("b")).toBe("A");
    fs.makeDir(`${root}/from/inner`);
    fs.makeDir(`${root}/to`);
    fs.rename(`${root}/from`, `${root}/to`);
    expect(fs.list(`${root}/to`)).toEqual(["inner"]);
    fs.makeDir(`${root}/other`);
    expect(codeOf(() => fs.rename(`${root}/other`, `${root}/to`))).toBe("ENOTEMPTY");
    expect(codeOf(() => fs.rename(`${root}/none`, `${root}/x`))).toBe("ENOENT");
  });

  test("a hard link is the same file", () => {
    const { fs, root, write, read } = room();
    write("a", "A");
    fs.link(`${root}/a`, `${root}/b`);
    const file = fs.open(`${root}/b`, "write");
    file.writeAt(bytes("Z"), 0);
    file.close();
    fs.removeFile(`${root}/b`);
    expect(read("a")).toBe("Z");
    write("c", "C");
    expect(codeOf(() => fs.link(`${root}/a`, `${root}/c`))).toBe("EEXIST");
    expect(codeOf(() => fs.link(`${root}/none`, `${root}/d`))).toBe("ENOENT");
  });

  test("removing", () => {
    const { fs, root, write } = room();
    fs.makeDir(`${root}/d/e`);
    write("d/e/f", "");
    fs.removeFile(`${root}/none`);
    fs.removeDir(`${root}/none`);
    expect(codeOf(() => fs.removeFile(`${root}/d`))).toMatch(/^(EISDIR|EPERM)$/);
    fs.removeDir(`${root}/d`);
    expect(fs.list(root)).toEqual([]);
  });

  test("syncing a directory", () => {
    const { fs, root } = room();
    fs.syncDir(root);
    expect(codeOf(() => fs.syncDir(`${root}/none`))).toBe("ENOENT");
  });

  test("the content handed out belongs to the caller", () => {
    const { fs, root, write, read } = room();
    write("f", "abc");
    fs.readFile(`${root}/f`)[0] = 0;
    const source = bytes("xyz");
    const file = fs.open(`${root}/g`, "create");
    file.writeAt(source, 0);
    source[0] = 0;
    file.close();
    expect([read("f"), read("g")]).toEqual(["abc", "xyz"]);
  });
});
