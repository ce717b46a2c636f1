// The examples in docs/formats/exposition.md parse as the page says.
import { expect, test } from "vitest";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { newParser } from "../../src/textparse/new-parser.ts";
import { renderEntries } from "../scrape/render-entries.ts";
import { exampleText, hexExample } from "./hex-example.ts";

test("the protobuf message", () => {
  const page = hexExample("exposition.md", "exposition");
  expect(renderEntries(newParser("application/vnd.google.protobuf", page))).toEqual([
    'help t ""',
    "type t gauge",
    '{__name__="t",a="b"} 1.5 @1000',
  ]);
});

test("the text", () => {
  const page = exampleText("exposition.md", "text", "page");
  const entries = renderEntries(newParser("text/plain", encodeUtf8(page)));
  expect(entries.join("\n")).toBe(exampleText("exposition.md", "text", "entries"));
});
