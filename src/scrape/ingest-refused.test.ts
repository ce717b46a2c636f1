// What a scrape does with series that the storage does not take, and when it takes nothing at all.
import { expect, test } from "vitest";
import { IngestFixture } from "../../test/scrape/ingest-fixture.ts";
import type { Labels } from "../model/labels.ts";

const named =
  (...names: string[]) =>
  (labels: Labels) =>
    names.includes(labels.get("__name__"));

test("known series are stored, new ones refused, counted each time, and said once", async () => {
  const f = new IngestFixture();
  await f.scrape(10, "known 1\n");
  f.appender.refuses = () => true;
  const page = 'new{a="1"} 1\nknown 2\nnew{a="2"} 1\n';
  expect(await f.scrape(20, page)).toEqual({ scraped: 3, postRelabel: 3, added: 0, error: "" });
  expect(await f.scrape(30, page)).toEqual({ scraped: 3, postRelabel: 3, added: 0, error: "" });
  expect(f.samples()).toEqual(["known{} 1@10000 2@20000 2@30000".replace("{}", "")]);
  expect(f.report("up")).toBe("1@10000 1@20000 1@30000");
  expect(f.ingest.stats.seriesRefused).toBe(4);
  expect(f.logger.at("warn")).toEqual([
    {
      level: "warn",
      message: "New series of this target are refused, its known ones are stored",
      fields: expect.objectContaining({ refused: 2, reason: "no room" }),
    },
  ]);

  // As soon as there is room they come, without a word; and when it begins again, it is said again.
  f.appender.refuses = () => false;
  await f.scrape(40, page);
  expect(f.samples()).toContain('new{a="2"} 1@40000');
  f.appender.refuses = named("newer");
  await f.scrape(50, `${page}newer 1\n`);
  expect(f.logger.at("warn")).toHaveLength(2);
  expect(f.ingest.stats.seriesRefused).toBe(5);
});

test("a refused series gets no staleness marker when it vanishes", async () => {
  const f = new IngestFixture();
  f.appender.refuses = named("new");
  await f.scrape(10, "known 1\nnew 1\n");
  await f.scrape(20, "known 2\n");
  expect(f.samples()).toEqual(["known 1@10000 2@20000"]);
});

test("a target whose every series is new, its report included, leaves nothing and breaks nothing", async () => {
  const f = new IngestFixture();
  f.appender.refuses = () => true;
  expect(await f.scrape(10, "a 1\n")).toMatchObject({ scraped: 1, error: "" });
  expect(f.appender.dump()).toEqual([]);
  f.appender.refuses = named("up");
  await f.scrape(20, "a 2\n");
  expect(f.samples()).toEqual(["a 2@20000"]);
  expect(f.report("scrape_samples_scraped")).toBe("1@20000");
  expect(f.report("up")).toBe("");
});

test("while nothing can be stored scrapes are skipped, counted, and said once", async () => {
  const f = new IngestFixture();
  await f.scrape(10, "known 1\n");
  f.appender.saturated = "no room at all";
  for (const t of [20, 30]) {
    expect(await f.scrape(t, "known 2\n")).toMatchObject({ error: "skipped: no room at all" });
  }
  expect(f.ingest.stats.scrapesSkipped).toBe(2);
  expect(f.logger.at("error")).toHaveLength(1);
  f.appender.saturated = "";
  await f.scrape(40, "known 3\n");
  expect(f.samples()).toEqual(["known 1@10000 3@40000"]);
  expect(f.report("up")).toBe("1@10000 1@40000");
});
