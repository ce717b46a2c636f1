/** What the people who run this server should know now. */
import { success } from "../answer.ts";
import type { Handler } from "../handler.ts";
import { goTime } from "../json/go-json.ts";

export const notifications: Handler = ({ notifications: service }) =>
  success(service.notifications().map(({ text, dateMs }) => ({ text, date: goTime(dateMs), active: true })));
