/**
 * Reads request bodies into memory of their own (never a slice of a pool), so that they can be transferred to another
 * thread without a copy.
 */
import type { IncomingMessage } from "node:http";
import { FormValues } from "../api/params/form.ts";

export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/** The client closed the connection before its request was complete. */
export class ClientGoneError extends Error {
  override name = "ClientGoneError";
}

/** A body that announces no length starts with this much memory. */
const unknownLengthBytes = 64 * 1024;

export function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers["content-length"];
  const expected = declared === undefined ? unknownLengthBytes : Number(declared);
  return new Promise((resolve, reject) => {
    if (declared !== undefined && expected > bytesMax) return reject(new BodyTooLargeError());
    let body = new Uint8Array(expected);
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      const end = length + chunk.length;
      if (end > bytesMax) {
        request.pause();
        return reject(new BodyTooLargeError());
      }
      if (end > body.length) body = enlarge(body, length, Math.min(bytesMax, Math.max(end, body.length * 2)));
      body.set(chunk, length);
      length = end;
    });
    request.on("end", () => resolve(body.subarray(0, length)));
    request.on("error", () => reject(new ClientGoneError()));
    request.on("close", () => {
      if (!request.readableEnded) reject(new ClientGoneError());
    });
  });
}

function enlarge(body: Uint8Array, length: number, bytes: number): Uint8Array<ArrayBuffer> {
  const bigger = new Uint8Array(bytes);
  bigger.set(body.subarray(0, length));
  return bigger;
}

/** Go's bound for forms. */
export const formBytesMax = 10 * 1024 * 1024;

/** The parameters of a form in the body; none where the body is something else. */
export async function formOf(contentType: string, body: Uint8Array<ArrayBuffer>): Promise<FormValues> {
  const form = new FormValues();
  const mediaType = contentType.split(";", 1)[0].trim().toLowerCase();
  if (mediaType === "application/x-www-form-urlencoded") {
    form.appendEncoded(new TextDecoder("utf-8", { ignoreBOM: true }).decode(body));
  } else if (mediaType === "multipart/form-data") {
    await appendMultipart(form, contentType, body);
  }
  return form;
}

async function appendMultipart(
  form: FormValues,
  contentType: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  try {
    const parts = await new Response(body, { headers: { "content-type": contentType } }).formData();
    for (const [name, value] of parts) if (typeof value === "string") form.append(name, value);
  } catch {
    form.fail("the multipart form in the body cannot be read");
  }
}
