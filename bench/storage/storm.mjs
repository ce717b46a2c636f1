// A storm of new series, nothing limiting them: CPU per million samples, and the peak of the memory.
import { replay, replayDefaults } from "../replay.mjs";
import { startServer } from "../servers.mjs";

/** Requests are not repeated: what is refused is counted as failed. */
export async function storm(kind, dir, workload) {
  const server = await startServer(kind, dir);
  try {
    return {
      kind,
      ...(await replay(workload, `${server.url}/api/v1/write`, {
        ...replayDefaults,
        pid: server.pid,
        retries: 0,
      })),
    };
  } finally {
    await server.kill();
  }
}
