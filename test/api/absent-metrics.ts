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
];
