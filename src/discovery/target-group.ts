/** Targets that were found together, with the labels they have in common. */
export interface TargetGroup {
  /** Says where the group came from; unique within its provider: "/etc/targets.json:0". */
  readonly source: string;
  /** The labels of each target, at least `__address__`. They win over the common ones. */
  readonly targets: readonly Readonly<Record<string, string>>[];
  readonly labels: Readonly<Record<string, string>>;
}

export function targetGroup(
  source: string,
  addresses: readonly string[],
  labels: Readonly<Record<string, string>>,
): TargetGroup {
  return { source, targets: addresses.map((address) => ({ __address__: address })), labels };
}
