/** Sends bytes that need not be HTTP, and reads what comes back until the server ends the connection. */
import { connect } from "node:net";

export interface RawAnswer {
  /** 0 where no status line came. */
  readonly status: number;
  readonly text: string;
}

const answerBytesMax = 1 << 20;
/** A server that takes longer to answer and to end the connection hangs. */
const answerMsMax = 60_000;

/**
 * A connection that is refused or reset is an answer without a status. Rejects where the server lets us wait; with
 * `giveUpMs` the connection is ended after that time instead, and what came so far is the answer.
 */
export function rawRequest(port: number, bytes: Uint8Array, giveUpMs?: number): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(parts).toString("latin1");
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    const timer = setTimeout(() => {
      if (giveUpMs !== undefined) return finish();
      socket.destroy();
      const sent = Buffer.from(bytes).toString("latin1", 0, 500);
      reject(new Error(`no end of the answer after ${answerMsMax} ms to ${sent}`));
    }, giveUpMs ?? answerMsMax);
    socket.on("data", (part: Buffer) => {
      length += part.length;
      if (length < answerBytesMax) parts.push(part);
    });
    socket.on("close", finish);
    socket.on("error", finish);
  });
}
