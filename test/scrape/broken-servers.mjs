// Servers that misbehave, each in its way, and one that does not: a process of its own, so that what they do to
// themselves does not disturb the scraper. Prints their addresses as one line of JSON; ends when its input does.
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${server.address().port}`;
}

const web = (answer) => listen(createServer((_, response) => answer(response)));

/** Writes for ever. */
function pour(response, chunk) {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

const gone = createTcpServer();
const goneAddress = await listen(gone);
gone.close();

const addresses = {
  good: await web((response) => response.end("up 1\n")),
  slow: await web((response) => {
    const timer = setInterval(() => response.write("up 1\n"), 20);
    response.on("close", () => clearInterval(timer));
  }),
  silent: await web(() => {}),
  endless: await web((response) => pour(response, Buffer.alloc(1 << 16, "x 1\n"))),
  packed: await web((response) => {
    response.setHeader("content-encoding", "gzip");
    pour(response, gzipSync(Buffer.alloc(1 << 20)));
  }),
  failing: await web((response) => response.writeHead(500).end("no")),
  breaking: await web((response) => {
    response.setHeader("content-length", "1000");
    response.write("up 1\n", () => response.destroy());
  }),
  noHttp: await listen(
    createTcpServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end("220 mail ready\r\n"),
    ),
  ),
  gone: goneAddress,
};
console.log(JSON.stringify(addresses));
process.stdin.resume().on("end", () => process.exit(0));
