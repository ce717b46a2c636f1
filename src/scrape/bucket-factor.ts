import { schemaMax, schemaMin } from "../model/histogram.ts";

/**
 * The finest schema whose buckets grow by `factor` at least from one to the next: what
 * `native_histogram_min_bucket_factor` asks for. 0, the default, allows every schema.
 */
export function schemaOfFactor(factor: number): number {
  if (factor <= 1) return schemaMax;
  // + 0: no negative zero
  const schema = Math.floor(-Math.log2(Math.log2(factor))) + 0;
  return Math.min(schemaMax, Math.max(schemaMin, schema));
}
