/** What discovery reports for the server's own metrics; each call names the metric it feeds. */
export interface DiscoveryObserver {
  /** prometheus_sd_file_mtime_seconds{filename} */
  fileRead(path: string, mtimeMs: number): void;
  fileForgotten(path: string): void;
  /** prometheus_sd_file_read_errors_total */
  fileFailed(): void;
  /** prometheus_sd_file_scan_duration_seconds */
  filesScanned(seconds: number): void;
  /** prometheus_sd_discovered_targets{config} */
  discovered(job: string, targets: number): void;
  /** The job is gone: its discovered_targets too. */
  jobForgotten(job: string): void;
  /** prometheus_sd_received_updates_total */
  updateReceived(): void;
  /** prometheus_sd_updates_total */
  updateSent(): void;
}

export const silentDiscoveryObserver: DiscoveryObserver = {
  fileRead() {},
  fileForgotten() {},
  fileFailed() {},
  filesScanned() {},
  discovered() {},
  jobForgotten() {},
  updateReceived() {},
  updateSent() {},
};
