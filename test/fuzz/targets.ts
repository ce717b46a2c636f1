/** All targets of the fuzzer: every decoder of bytes that come from a disk, a network or a user. */
import type { FuzzTarget } from "./target.ts";
import { expositionTargets } from "./targets/exposition.ts";
import { scrapeTargets } from "./targets/scrape.ts";

export const targets: readonly FuzzTarget[] = [...expositionTargets, ...scrapeTargets];
