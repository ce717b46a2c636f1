/** The writer thread's side of scraping: pages in, batches out. See sink.ts; one target's part is ingest-target.ts. */
import { readPage } from "../kernels/scrape-reader.ts";
import { type IngestStats, newIngestStats } from "./ingest-stats.ts";
import { type IngestEnv, TargetIngest } from "./ingest-target.ts";
import type { FamilyMetadata, ScrapedPage, ScrapeReport, ScrapeSink, TargetSettings } from "./sink.ts";

export class ScrapeIngest implements ScrapeSink {
  readonly #env: IngestEnv;
  readonly #targets = new Map<number, TargetIngest>();
  readonly stats: IngestStats = newIngestStats();

  /** `read`: how a page of lines is read; another way than the default serves as oracle in tests. */
  constructor(env: Omit<IngestEnv, "stats" | "read">, read = readPage) {
    this.#env = { ...env, stats: this.stats, read };
  }

  open(settings: TargetSettings): void {
    if (this.#targets.has(settings.id)) throw new RangeError(`target ${settings.id} is open already`);
    this.#targets.set(settings.id, new TargetIngest(this.#env, settings));
  }

  async deliver(id: number, page: ScrapedPage): Promise<ScrapeReport> {
    const target = this.#targets.get(id);
    if (target === undefined) throw new RangeError(`target ${id} is not open`);
    return target.deliver(page);
  }

  async close(id: number, staleAt: number | undefined): Promise<void> {
    const target = this.#targets.get(id);
    if (target === undefined) return;
    this.#targets.delete(id);
    target.close(staleAt);
  }

  async metadata(id: number): Promise<readonly FamilyMetadata[]> {
    return this.#targets.get(id)?.metadata() ?? [];
  }

  /** How much metadata each target has, by id: for prometheus_target_metadata_cache_entries and _bytes. */
  metadataSizes(): Map<number, { readonly entries: number; readonly bytes: number }> {
    return new Map([...this.#targets].map(([id, target]) => [id, target.metadataSize()]));
  }
}
