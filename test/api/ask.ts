/** Asks an HTTP app over loopback; the app listens on a port of its own from the first question on. */
import { once } from "node:events";
import { type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface AskOptions {
  readonly method?: string;
  readonly url: string;
  headers?: Record<string, string>;
  payload?: string | Buffer;
}

export interface Asked {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawPayload: Buffer;
  readonly body: string;
}

export async function ask(
  app: Server,
  { method = "GET", url, headers = {}, payload }: AskOptions,
): Promise<Asked> {
  if (!app.listening) {
    app.listen(0, "127.0.0.1").unref();
    await once(app, "listening");
  }
  const { port } = app.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, method, path: url, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => {
          const rawPayload = Buffer.concat(parts);
          const { statusCode = 0, headers: received } = response;
          resolve({ statusCode, headers: received, rawPayload, body: rawPayload.toString() });
        });
      },
    );
    asked.on("error", reject);
    asked.end(payload);
  });
}
