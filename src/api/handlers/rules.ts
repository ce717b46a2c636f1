/**
 * rules, alerts and alertmanagers. This server evaluates no rules and notifies nobody yet: the lists are empty, which
 * is the truth, and what Grafana asks for. The parameters are checked as Prometheus checks them.
 */
import { invalidParameter, success } from "../answer.ts";
import type { Handler } from "../handler.ts";
import type { FormValues } from "../params/form.ts";
import { parseGoBool, parseGoInt } from "../params/go-numbers.ts";
import { checkForm, readParameter } from "../params/read.ts";
import { checkMatches } from "../select-matchers.ts";

export const rules: Handler = (_, { form, urlValues }) => {
  checkForm(form);
  checkMatches(form.all("match[]"));
  const type = urlValues.get("type").toLowerCase();
  if (type !== "" && type !== "alert" && type !== "record") {
    throw invalidParameter("type", `not supported value "${type}"`);
  }
  readExcludeAlerts(urlValues);
  readPage(urlValues);
  return success({ groups: [] });
};

function readExcludeAlerts(values: FormValues): void {
  const text = values.get("exclude_alerts").toLowerCase();
  if (text === "") return;
  readParameter("exclude_alerts", text, (value) => {
    try {
      return parseGoBool(value);
    } catch (error) {
      throw new Error(`error converting exclude_alerts: ${(error as Error).message}`);
    }
  });
}

function readPage(values: FormValues): void {
  const limit = values.get("group_limit");
  const token = values.get("group_next_token");
  if (limit === "") {
    if (token === "") return;
    throw invalidParameter(
      "group_next_token",
      "group_limit needs to be present in order to paginate over the groups",
    );
  }
  const groups = readParameter("group_limit", limit, (value) => {
    try {
      return parseGoInt(value, "ParseInt", 32);
    } catch (error) {
      throw new Error(`group_limit needs to be a valid number: ${(error as Error).message}`);
    }
  });
  if (groups <= 0) throw invalidParameter("group_limit", "group_limit needs to be greater than 0");
  if (token !== "") {
    throw invalidParameter(
      "group_next_token",
      `invalid group_next_token '${token}'. were rule groups changed?`,
    );
  }
}

export const alerts: Handler = () => success({ alerts: [] });

export const alertmanagers: Handler = () => success({ activeAlertmanagers: [], droppedAlertmanagers: [] });
