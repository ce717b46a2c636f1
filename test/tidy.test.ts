// House rules that a program can check: sizes, banned calls, documents that must agree with the code.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../src/base/errors.ts";

const root = resolve(import.meta.dirname, "..");

function files(dir: string, wanted: RegExp): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : files(path, wanted);
    return wanted.test(entry.name) ? [path] : [];
  });
}

const name = (path: string) => relative(root, path);
const sources = files(join(root, "src"), /(?<!\.test)\.ts$/);

/** Files that may be longer than the rule, with why. Nothing may grow past its recorded length. */
const longFiles: Record<string, { lines: number; why: string }> = {};
const lineLimit = 500;

describe("sizes", () => {
  test(`no source file has more than ${lineLimit} lines`, () => {
    const tooLong = sources
      .map((path) => ({ path: name(path), lines: readFileSync(path, "utf8").split("\n").length - 1 }))
      .filter(({ path, lines }) => lines > (longFiles[path]?.lines ?? lineLimit));
    expect(tooLong).toEqual([]);
  });

  test("every exception is still needed", () => {
    const idle = Object.keys(longFiles).filter(
      (path) =>
        !existsSync(join(root, path)) ||
        readFileSync(join(root, path), "utf8").split("\n").length - 1 <= lineLimit,
    );
    expect(idle).toEqual([]);
  });
});

describe("banned below the layers that may touch the system", () => {
  const allowed = /^src\/(node|runtime|server|cli|testkit)\//;
  test.each([
    ["wall time", /\bDate\.now\(|\bnew Date\(\)/],
    ["monotonic time", /\bperformance\.now\(/],
    ["timers", /\b(setTimeout|setInterval|setImmediate)\(/],
    ["randomness", /\bMath\.random\(|\bcrypto\.random/],
    ["the console", /\bconsole\./],
    ["the process", /\bprocess\./],
  ])("%s", (_, banned) => {
    const users = sources.filter(
      (path) => !allowed.test(name(path)) && banned.test(withoutComments(readFileSync(path, "utf8"))),
    );
    expect(users.map(name)).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

test("no folder is called utils, helpers, common or core", () => {
  const folders = new Set(sources.flatMap((path) => name(path).split("/").slice(0, -1)));
  expect(
    ["utils", "helpers", "common", "core", "misc", "lib"].filter((folder) => folders.has(folder)),
  ).toEqual([]);
});

test("no tests are switched off without a reason beside them", () => {
  const tests = [...files(join(root, "src"), /\.test\.ts$/), ...files(join(root, "test"), /\.ts$/)];
  const silent = tests.filter((path) =>
    /\b(test|it|describe)\.(only|skip|todo)\(/.test(readFileSync(path, "utf8")),
  );
  expect(silent.map(name).filter((path) => path !== "test/tidy.test.ts")).toEqual([]);
});

test("docs/errors.md lists exactly the error codes of base/errors.ts", () => {
  const documented = [
    ...readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\| `([A-Z]+)` \| (.+?) \|/gm),
  ];
  expect(Object.fromEntries(documented.map(([, code, meaning]) => [code, meaning]))).toEqual(errorCodes);
});

test("every file that a document names exists", () => {
  const documents = [
    ...files(join(root, "docs"), /\.md$/),
    ...["README.md", "CONTRIBUTING.md"].map((file) => join(root, file)),
  ];
  const missing: string[] = [];
  for (const document of documents.filter((path) => existsSync(path))) {
    for (const [, path] of readFileSync(document, "utf8").matchAll(
      /`((?:src|test|docs|bench|scripts|assembly)\/[\w./-]*\.\w+)`/g,
    )) {
      if (!existsSync(join(root, path)) && !path.endsWith(".wasm"))
        missing.push(`${name(document)}: ${path}`);
    }
  }
  expect(missing).toEqual([]);
});

test("the package exports only what is built", () => {
  const { exports: entries = {}, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const targets = [
    ...Object.values<string | Record<string, string>>(entries),
    ...Object.values<string>(bin),
  ].flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
  const lost = targets.filter((target) => {
    const source = target.replace(/^(\.\/)?dist\//, "src/").replace(/\.d\.ts$|\.js$/, ".ts");
    return !existsSync(join(root, source));
  });
  expect(lost).toEqual([]);
});
