/** The remote-write receiver; only with `--web.enable-remote-write-receiver`. */
import { textError } from "../answer.ts";
import type { Handler } from "../handler.ts";

export const write: Handler = ({ writes }, { body, header }) => {
  if (writes === undefined) {
    return textError(
      404,
      "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
    );
  }
  return writes.write(body, {
    contentType: header("content-type"),
    contentEncoding: header("content-encoding"),
  });
};
