// Every input that ever broke a decoder, once more.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { corpusDir } from "./fuzz.ts";
import { judgeGuarded } from "./judge.ts";
import { targets } from "./targets.ts";

const folders = existsSync(corpusDir) ? readdirSync(corpusDir).sort() : [];

test("every folder of the corpus belongs to a target", () => {
  expect(folders.filter((name) => !targets.some((target) => target.name === name))).toEqual([]);
});

test.each(folders)("%s", (name) => {
  const target = targets.find((candidate) => candidate.name === name);
  if (target === undefined) return;
  const broken = readdirSync(join(corpusDir, name))
    .map((file) => ({
      file,
      ...judgeGuarded(target, new Uint8Array(readFileSync(join(corpusDir, name, file)))),
    }))
    .filter(({ problem }) => problem !== "")
    .map(({ file, problem }) => `${file}: ${problem}`);
  expect(broken).toEqual([]);
});
