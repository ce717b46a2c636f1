/** What a runtime is made with. */
import type { Clock, Logger, Random } from "../base/env.ts";
import type { MaintenanceTimes } from "./maintenance.ts";
import type { WriterSettings } from "./protocol.ts";
import type { QuerySettings, RetentionSettings, StorageSettings } from "./settings.ts";

export interface RuntimeOptions {
  readonly storage: StorageSettings;
  readonly queries: QuerySettings;
  readonly writer: WriterSettings;
  /** `--query.max-concurrency`; there are never more query threads than processors. */
  readonly queryConcurrencyMax: number;
  readonly retention: RetentionSettings;
  /** The lengths that blocks grow to by compaction, ascending (ms). */
  readonly blockRanges: readonly number[];
  /** Compactions that may run at once, each in a thread of its own. */
  readonly compactionParallelism: number;
  readonly maintenance: MaintenanceTimes;
}

export interface RuntimeEnv {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Sets what is to be said about something to the people who run the server; "" when there is nothing any more. */
  readonly notify: (key: string, text: string) => void;
}
