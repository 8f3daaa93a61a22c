import type { z } from "../../../sink/schema.ts";
import { FIELDS } from "../../../history/parse.ts";
import { parseQuery } from "../../../history/parse.ts";
import type { GuardedEnv } from "../../auth/caller.ts";
import type { Desk } from "../../page/desk.ts";
import { askFor, type C } from "../../page/frame.ts";
import type { Hono } from "../../server.ts";
import { bodyOf, json } from "../reply.ts";
import * as answers from "./answers.ts";
import * as contract from "./contract.ts";
import { fieldsOf, FILTERS, paramsOf } from "./question.ts";
import { CHOSEN, valuesFor } from "./values.ts";

const LABELS: Readonly<Record<contract.Metric, string>> = {
  events: "Events (table)",
  counts: "Counts over time",
  annotations: "Annotations",
};

/** `/api/v1/grafana/…`: the address of Grafana's JSON data source. */
export function mountGrafana(app: Hono<GuardedEnv>, desk: Desk): void {
  const base = "/api/v1/grafana";
  app.get(base, (c) => json(c, { status: "ok" }));

  app.post(`${base}/metrics`, (c) => {
    const metrics: z.output<typeof contract.grafanaMetrics> = contract.METRICS.map((value) => ({
      label: LABELS[value],
      value,
      payloads: fieldsOf(value).map((name) => ({
        label: name,
        name,
        type: !CHOSEN.includes(name)
          ? "input"
          : name === "by" || name === "kept"
            ? "select"
            : "multi-select",
        placeholder: FIELDS[name][0],
      })),
    }));
    return json(c, metrics);
  });

  app.post(`${base}/metric-payload-options`, async (c) => {
    const { name } = await bodyOf(c, contract.grafanaOptionsRequest);
    const values = await valuesFor(c, desk, name, "name");
    return json(
      c,
      values.map((value) => ({ label: value, value })),
    );
  });

  app.post(`${base}/query`, async (c) => {
    const asked = await bodyOf(c, contract.grafanaQuery);
    const told = await Promise.all(asked.targets.map((target) => answered(c, desk, target, asked)));
    return json(c, told.flat());
  });

  app.post(`${base}/variable`, async (c) => {
    const { payload } = await bodyOf(c, contract.grafanaVariableRequest);
    const values = await valuesFor(c, desk, payload.target, "target");
    return json(
      c,
      values.map((value) => ({ __text: value, __value: value })),
    );
  });

  app.post(`${base}/tag-keys`, (c) =>
    json(
      c,
      FILTERS.map((text) => ({ type: "string", text })),
    ),
  );

  app.post(`${base}/tag-values`, async (c) => {
    const { key } = await bodyOf(c, contract.grafanaTagRequest);
    const values = CHOSEN.includes(key) ? await valuesFor(c, desk, key, "key") : [];
    return json(
      c,
      values.map((text) => ({ text })),
    );
  });
}

async function answered(
  c: C,
  desk: Desk,
  target: z.output<typeof contract.grafanaQuery>["targets"][number],
  asked: z.output<typeof contract.grafanaQuery>,
): Promise<z.output<typeof contract.grafanaAnswer>> {
  const { refId } = target;
  const query = parseQuery(paramsOf(target, asked), desk.clock.now());
  const { filter, limit, timeline } = query;
  const ask = await askFor(c, desk, query);
  switch (target.target) {
    case "counts":
      return answers.seriesOf(await desk.reader.timeline(filter, timeline, ask), refId);
    case "events":
      return [answers.tableOf(await desk.reader.events(filter, limit, null, ask), refId)];
    case "annotations":
      return [answers.annotationsOf(await desk.reader.events(filter, limit, null, ask), refId)];
  }
}
