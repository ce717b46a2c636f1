/** What a scrape asks the target for. */
import type { EscapingScheme, ScrapeProtocol } from "../config/config.ts";

const mediaTypes: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
  "PrometheusText0.0.4": "text/plain;version=0.0.4",
  "PrometheusText1.0.0": "text/plain;version=1.0.0",
  "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
  "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0",
};

/** The first format weighs most; anything at all weighs least. Only the 1.0.0 formats know of escaping. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: EscapingScheme): string {
  let weight = Object.keys(mediaTypes).length + 1;
  const accepted = protocols.map((protocol) => {
    const parameter = protocol.endsWith("1.0.0") ? `;escaping=${escaping}` : "";
    return `${mediaTypes[protocol]}${parameter};q=0.${weight--}`;
  });
  return [...accepted, `*/*;q=0.${weight}`].join(",");
}
