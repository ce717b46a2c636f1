#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The `narthex` command: reads the command line, starts the server, and ends it in order on SIGTERM, SIGINT or
 * `/-/quit`. Exit codes: 0 after an orderly end, 1 where the server could not run, 2 for a wrong command line or
 * configuration.
 *
 * The first line bounds the main thread's young generation: what it handles are buffers, and by default V8 would keep
 * up to 48 MiB for their wrappers. The other threads' bounds are in runtime/.
 */
import { readFileSync } from "node:fs";
import type { Logger } from "../base/env.ts";
import { ConfigError, NarthexError } from "../base/errors.ts";
import { nodeClock } from "../node/clock.ts";
import { nodeFs } from "../node/fs.ts";
import { createLogger, type LogFormat, type LogLevel } from "../node/logger.ts";
import { nodeRandom } from "../node/random.ts";
import type { Server } from "../server/server.ts";
import { flagHelp } from "./flag-help.ts";
import { type CommandLine, type Flags, parseFlags } from "./flags.ts";
import { serverOptions } from "./server-options.ts";

const prometheusVersion = "3.14.0";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const build = {
  prometheusVersion,
  narthexVersion: String(packageJson.version),
  nodeVersion: process.version,
};

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "tsdb") {
    const { tsdbCommand } = await import("./tsdb-command.ts");
    process.exitCode = await tsdbCommand(args.slice(1));
    return;
  }
  const { wish, flags } = readCommandLine(args);
  if (wish === "help") process.stdout.write(flagHelp());
  else if (wish === "version") process.stdout.write(versionText());
  else await serve(flags);
}

function readCommandLine(args: readonly string[]): CommandLine {
  try {
    return parseFlags(args, (path) => readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`narthex: ${error.message}\nnarthex --help lists all flags.\n`);
    process.exit(2);
  }
}

function versionText(): string {
  return [
    `narthex, version ${build.narthexVersion} (behaves as Prometheus ${prometheusVersion})`,
    `  node:     ${process.version}`,
    `  platform: ${process.platform}/${process.arch}`,
    "",
  ].join("\n");
}

async function serve(flags: Flags): Promise<void> {
  const logger = createLogger({
    level: flags.text("log.level") as LogLevel,
    format: flags.text("log.format") as LogFormat,
  });
  let server: Server | undefined;
  let end: (why: string) => void = () => process.exit(0);
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGINT", () => end("SIGINT"));
  process.on("SIGHUP", () => void server?.reload().catch(() => {}));
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error: Error) => {
      logger.error("BUG: the main thread failed; the server ends.", {
        problem: error.message,
        stack: error.stack,
      });
      process.exit(1);
    });
  }
  try {
    sayWhatDoesNothing(flags, logger);
    const options = serverOptions(flags);
    // Loaded only now: --help and a mistyped flag need none of it.
    const { Server } = await import("../server/server.ts");
    const { NodeHttpClients } = await import("../node/http-client.ts");
    const starting = Server.start(options, {
      clock: nodeClock,
      logger,
      random: nodeRandom,
      fs: nodeFs,
      clients: new NodeHttpClients(),
      getEnv: (name) => process.env[name],
      build,
      onQuit: () => end("/-/quit"),
    });
    end = endOnce(starting, logger);
    server = await starting;
    process.stdout.write(`${startLine(server, options.web.routePrefix)}\n`);
    await server.ready;
  } catch (error) {
    await server?.close();
    fail(error as Error, logger);
  }
}

/**
 * One signal may arrive several times: a terminal sends Ctrl-C to all processes of a group, and npm and timeout(1) pass
 * on to their child what the child has got already.
 */
const sameSignalMs = 250;

/** The first call ends the server in order, the second at once. */
function endOnce(starting: Promise<Server>, logger: Logger): (why: string) => void {
  let begunMs: number | undefined;
  return (why) => {
    const nowMs = performance.now();
    if (begunMs !== undefined) {
      if (nowMs - begunMs > sameSignalMs) process.exit(1);
      return;
    }
    begunMs = nowMs;
    logger.info("The server ends: running requests are finished, everything is written out.", { why });
    // A start that fails ends the process by itself.
    const started = starting.catch(() => new Promise<never>(() => {}));
    started
      .then((server) => server.close())
      .then(
        () => {
          logger.info("See you next time!");
          process.exit(0);
        },
        (error: Error) => fail(error, logger),
      );
  };
}

function fail(error: Error, logger: Logger): never {
  const expected = error instanceof NarthexError || "code" in error || error.cause !== undefined;
  logger.error(error.message, expected ? {} : { stack: error.stack });
  process.exit(error instanceof ConfigError ? 2 : 1);
}

function sayWhatDoesNothing(flags: Flags, logger: Logger): void {
  for (const flag of flags.withoutEffect())
    logger.warn("This flag has no effect yet.", { flag: `--${flag}` });
  const features = flags.features();
  for (const feature of features.withoutEffect()) logger.warn("This feature has no effect yet.", { feature });
  for (const feature of features.unknown())
    logger.warn("Unknown option for --enable-feature", { option: feature });
  if (features.has("xor2-encoding")) {
    const instead = "storage.tsdb.chunk_encoding.floats: xor2";
    logger.warn("This feature is only the default of a setting in the configuration.", {
      feature: "xor2-encoding",
      instead,
    });
  }
  for (const feature of features.superfluous()) {
    logger.warn("This feature is always on; its name has no effect.", { feature });
  }
}

/** Where to find what was started: address and data directory in one line. */
function startLine(server: Server, prefix: string): string {
  const urls = server.addresses.map((address) => {
    const host = address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, "localhost");
    return `http://${host}${prefix}`;
  });
  return `Narthex ${build.narthexVersion} at ${urls.join(" and ")}, data in ${server.dataDir}`;
}
