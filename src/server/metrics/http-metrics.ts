/** `prometheus_http_*` and the listener's `net_conntrack_*`: what the HTTP server does. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { HttpObserver } from "../http-app.ts";
import type { ConnectionObserver } from "../listeners.ts";

export function httpMetrics(registry: Registry): HttpObserver & ConnectionObserver {
  const registers = [registry];
  const requests = new Counter({
    name: "prometheus_http_requests_total",
    help: "HTTP requests by route and status code.",
    labelNames: ["handler", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "prometheus_http_request_duration_seconds",
    help: "How long HTTP requests took, by route.",
    labelNames: ["handler"],
    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
    registers,
  });
  const sizes = new Histogram({
    name: "prometheus_http_response_size_bytes",
    help: "How large HTTP answers were on the wire, by route.",
    labelNames: ["handler"],
    buckets: [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
    registers,
  });
  const accepted = listenerCounter(registry, "accepted", "Connections that the listeners accepted.");
  const closed = listenerCounter(registry, "closed", "Accepted connections that were closed.");
  return {
    declared: (handler) => requests.inc({ handler, code: "200" }, 0),
    served(handler, status, seconds, bytes) {
      requests.inc({ handler, code: String(status) });
      durations.observe({ handler }, seconds);
      sizes.observe({ handler }, bytes);
    },
    accepted: () => accepted.inc({ listener_name: "http" }),
    closed: () => closed.inc({ listener_name: "http" }),
  };
}

function listenerCounter(registry: Registry, what: "accepted" | "closed", help: string): Counter {
  const counter = new Counter({
    name: `net_conntrack_listener_conn_${what}_total`,
    help,
    labelNames: ["listener_name"],
    registers: [registry],
  });
  counter.inc({ listener_name: "http" }, 0);
  return counter;
}
