/** What Prometheus 3.5.3's /metrics has and ours has not, each with the reason. */
export const absentMetrics: readonly { readonly names: RegExp; readonly reason: string }[] = [
  { names: /^go_/, reason: "Go's runtime; nodejs_* says the same of ours" },
  { names: /^process_network_/, reason: "counts the whole machine's traffic, not the process's" },
  {
    names: /^net_conntrack_dialer_/,
    reason: "the HTTP client of scraping pools connections without such counters",
  },
  { names: /^prometheus_api_notification_/, reason: "live notifications for the web page: not there yet" },
  {
    names: /^prometheus_api_remote_write_without_metadata_/,
    reason: "only remote write 2.0 can come with metadata, and it is not accepted yet",
  },
  { names: /^prometheus_engine_query_log_/, reason: "there is no query log yet" },
  { names: /^prometheus_notifications_/, reason: "alerting: not there yet" },
  { names: /^prometheus_rule_/, reason: "rules: not there yet" },
  { names: /^prometheus_template_/, reason: "templates belong to rules: not there yet" },
  { names: /^prometheus_remote_read_handler_/, reason: "remote read: not there yet" },
  { names: /^prometheus_remote_storage_/, reason: "sending to remote storage: not there yet" },
  { names: /^prometheus_web_federation_/, reason: "federation: not there yet" },
  {
    names: /^prometheus_(sd_(dns|http|kubernetes|linode)_|treecache_)/,
    reason: "this discovery mechanism is not there yet",
  },
  {
    names: /^prometheus_sd_file_watcher_errors_total$/,
    reason: "files are looked at regularly, not watched",
  },
  { names: /^prometheus_sd_updates_delayed_total$/, reason: "scraping takes every update at once" },
  {
    names: /^prometheus_target_metadata_cache_/,
    reason: "metadata lies with the writer's memory of each page: narthex_scrape_cache_bytes",
  },
  { names: /^prometheus_target_scrape_pool_symboltable_items$/, reason: "pools have no symbol tables" },
  {
    names: /^prometheus_tsdb_compaction_chunk_/,
    reason: "block writing does not observe single chunks; a block's meta.json has its counts",
  },
  {
    names: /^prometheus_tsdb_compactions_skipped_total$/,
    reason: "nothing switches compaction off",
  },
  {
    names: /^prometheus_tsdb_snapshot_replay_error_total$/,
    reason: "snapshots of the head: the storage issue",
  },
  {
    names: /^prometheus_tsdb_(head_active_appenders|isolation_(low|high)_watermark)$/,
    reason: "there is one appender; readers pin a batch in shared memory: narthex_head_commits_total",
  },
  {
    names: /^prometheus_tsdb_head_series_not_found_total$/,
    reason: "nobody asks the head for a series by reference",
  },
  {
    names:
      /^prometheus_tsdb_(head_gc_duration_seconds|wal_truncate_duration_seconds|head_truncations_failed_total)$/,
    reason: "cutting head and WAL happens in slices between batches and cannot fail as a whole",
  },
  {
    names: /^prometheus_tsdb_mmap_chunk/,
    reason: "chunks_head is read by position, not mapped; damage in it is repaired at the start and logged",
  },
  {
    names: /^prometheus_tsdb_checkpoint_deletions_failed_total$/,
    reason: "retried with the next checkpoint, and logged",
  },
  {
    names: /^prometheus_tsdb_reloads_failures_total$/,
    reason: "a block that cannot be read is logged by each thread",
  },
  {
    names: /^prometheus_tsdb_symbol_table_size_bytes$/,
    reason: "symbols are read through the page cache, not held",
  },
];
