import { describe, expect, test } from "vitest";
import type { ScrapeConfig } from "../config/config.ts";
import { parseConfig } from "../config/load.ts";
import { discoveredLabels, publicLabels, targetLabels } from "./target-labels.ts";

function job(yaml: string): ScrapeConfig {
  const text = `scrape_configs:\n- job_name: j\n${yaml.replaceAll(/^/gm, "  ")}`;
  return parseConfig({ getEnv: () => undefined }, text, "p.yml").scrapeConfigs[0];
}

const defaults = {
  __address__: "h:1",
  __metrics_path__: "/metrics",
  __scheme__: "http",
  __scrape_interval__: "1m",
  __scrape_timeout__: "10s",
  __convert_classic_histograms_to_nhcb__: "false",
  __always_scrape_classic_histograms__: "false",
  __scrape_native_histograms__: "false",
  job: "j",
};

test("settings of the job become labels where discovery set none", () => {
  const config = job("params: {module: [a, b], none: []}\nscheme: https");
  const target = { __address__: "h:1", job: "own", a: "target" };
  const group = { a: "group", b: "group", __param_module: "mine" };
  expect(discoveredLabels(config, target, group).toObject()).toEqual({
    ...defaults,
    __scheme__: "https",
    job: "own",
    a: "target",
    b: "group",
    __param_module: "mine",
  });
  expect(discoveredLabels(config, { __address__: "h:1" }, {}).get("__param_module")).toBe("a");
});

describe("after relabelling", () => {
  const run = (yaml: string, labels: Record<string, string>) => {
    const config = job(yaml);
    return targetLabels(config, discoveredLabels(config, labels, {}))?.toObject();
  };

  test("meta labels go, the address becomes the instance, other internal labels stay", () => {
    expect(run("", { __address__: "h:1", __meta_x: "1", __tmp: "2" })).toEqual({
      ...defaults,
      __tmp: "2",
      instance: "h:1",
    });
    expect(run("", { __address__: "h", instance: "own" })).toMatchObject({
      __address__: "h",
      instance: "own",
    });
  });

  test("rules may rewrite everything, or drop the target", () => {
    const rules = `relabel_configs:
- {source_labels: [__meta_port], regex: "(.+)", target_label: __address__, replacement: "x:$1"}
- {target_label: __scrape_interval__, replacement: 15s}
- {source_labels: [__meta_role], regex: web, action: drop}`;
    expect(run(rules, { __address__: "", __meta_port: "81" })).toMatchObject({
      __address__: "x:81",
      instance: "x:81",
      __scrape_interval__: "15s",
    });
    expect(run(rules, { __address__: "h", __meta_role: "web" })).toBeUndefined();
  });

  test.each([
    [{ __address__: "" }, "no address"],
    [{ __address__: "http://h/" }, '"http://h/" is not a valid hostname'],
    [{ __scrape_interval__: "often" }, "error parsing scrape interval: not a valid duration string"],
    [{ __scrape_interval__: "0s" }, "scrape interval cannot be 0"],
    [{ __scrape_timeout__: "0" }, "scrape timeout cannot be 0"],
    [{ __scrape_timeout__: "2m" }, 'scrape timeout cannot be greater than scrape interval ("2m" > "1m")'],
    [{ __scrape_native_histograms__: "maybe" }, "error parsing scrape native histograms"],
  ])("%j is no target: %s", (labels, message) => {
    const given: Record<string, string> = { __address__: "h", ...labels };
    expect(() => run("", given)).toThrow(message);
  });

  test("series get the labels without underscores", () => {
    const config = job("");
    const labels = targetLabels(config, discoveredLabels(config, { __address__: "h", a_: "1", _b: "2" }, {}));
    expect(publicLabels(labels as never).toObject()).toEqual({ a_: "1", _b: "2", instance: "h", job: "j" });
  });
});
