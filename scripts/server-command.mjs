// How the built server is run by this very Node: with the Node flags that the first line of dist/cli/main.js names, as
// the shell would run it.
import { readFileSync } from "node:fs";
import { root } from "./ensure-installed.mjs";

/** [program, …arguments], the server's own flags still to be added. */
export function serverCommand() {
  const main = `${root}dist/cli/main.js`;
  const firstLine = readFileSync(main, "utf8").split("\n", 1)[0];
  const nodeFlags = firstLine.split(" ").filter((word) => word.startsWith("--"));
  return [process.execPath, ...nodeFlags, main];
}
