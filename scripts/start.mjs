// `npm start -- FLAGS`: installs what is missing, builds what changed, runs the server in the foreground.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { build } from "./build.mjs";
import { serverCommand } from "./server-command.mjs";

build();
const [program, ...args] = serverCommand();
const server = spawn(program, [...args, ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
