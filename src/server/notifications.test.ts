import { expect, test } from "vitest";
import { notifications as handler } from "../api/handlers/notifications.ts";
import { ManualClock } from "../testkit/manual-clock.ts";
import { Notifications } from "./notifications.ts";

test("a notification stays, with its date, until what it says is over or something else is to be said", async () => {
  const clock = new ManualClock(1000);
  const notifications = new Notifications(clock);
  notifications.set("disk", "The disk is full.");
  clock.advance(5000);
  notifications.set("disk", "The disk is full.");
  notifications.set("state", "Starting.");
  expect(notifications.notifications()).toEqual([
    { text: "The disk is full.", dateMs: 1000 },
    { text: "Starting.", dateMs: 6000 },
  ]);
  notifications.set("disk", "The disk fails.");
  notifications.set("state", "");
  expect(notifications.notifications()).toEqual([{ text: "The disk fails.", dateMs: 6000 }]);
  const answer = await handler({ notifications } as never, {} as never);
  expect(new TextDecoder().decode(answer.body)).toBe(
    '{"status":"success","data":[{"text":"The disk fails.","date":"1970-01-01T00:00:06Z","active":true}]}',
  );
});
