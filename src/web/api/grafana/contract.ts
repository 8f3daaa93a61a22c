import { z } from "../../../sink/schema.ts";

/**
 * What Grafana's JSON data source (simpod-json-datasource 0.6 and later) sends and takes. Of what it sends only what counts here is named:
 * each of its versions has sent more.
 * https://github.com/simPod/GrafanaJsonDatasource/blob/0.7.x/README.md
 */

const payload = z
  .record(z.string(), z.unknown())
  .optional()
  .describe("fields of a filter, as those of /api/v1/events; of counts `by`, `step` and `top` too");

const time = z.iso.datetime({ error: "an ISO 8601 time in UTC" });
const range = z.looseObject({ from: time, to: time });

export const METRICS = ["events", "counts", "annotations"] as const;
export type Metric = (typeof METRICS)[number];

export const grafanaQuery = z
  .looseObject({
    range,
    intervalMs: z.number().positive().optional(),
    targets: z
      .array(
        z.looseObject({
          target: z.enum(METRICS),
          refId: z.string().optional(),
          payload: z.union([payload, z.literal("")]),
        }),
      )
      .max(20),
    adhocFilters: z
      .array(z.looseObject({ key: z.string(), operator: z.string(), value: z.string() }))
      .optional(),
  })
  .meta({
    id: "GrafanaQuery",
    description: "What a panel or an annotation asks",
    examples: [
      {
        range: { from: "2026-11-20T10:00:00.000Z", to: "2026-11-20T12:00:00.000Z" },
        intervalMs: 60_000,
        targets: [{ target: "counts", refId: "A", payload: { ns: "shop", by: "reason" } }],
      },
    ],
  });

const cell = z.union([z.string(), z.number(), z.null()]);
/** A remark that Grafana shows at the panel: the answer is a part. */
const meta = z
  .object({
    notices: z.array(z.object({ severity: z.literal("warning"), text: z.string() })),
  })
  .optional();

const table = z.object({
  type: z.literal("table"),
  refId: z.string().optional(),
  columns: z.array(z.object({ text: z.string(), type: z.enum(["time", "string", "number"]) })),
  rows: z.array(z.array(cell)),
  meta,
});

const series = z.object({
  target: z.string(),
  refId: z.string().optional(),
  datapoints: z.array(z.tuple([z.number(), z.number()])).describe("value, milliseconds since 1970"),
  meta,
});

export const grafanaAnswer = z
  .array(z.union([table, series]))
  .meta({ id: "GrafanaAnswer", description: "Tables (events, annotations) and series (counts)" });

const option = z.object({ label: z.string().optional(), value: z.string() });

export const grafanaMetrics = z
  .array(
    z.object({
      label: z.string(),
      value: z.enum(METRICS),
      payloads: z.array(
        z.object({
          label: z.string(),
          name: z.string(),
          type: z.enum(["input", "select", "multi-select"]),
          placeholder: z.string().optional(),
          options: z.array(option).optional(),
        }),
      ),
    }),
  )
  .meta({ id: "GrafanaMetrics", description: "What can be asked for, and the fields of each" });

export const grafanaOptionsRequest = z
  .looseObject({ name: z.string() })
  .meta({ id: "GrafanaOptionsRequest", examples: [{ metric: "events", payload: {}, name: "ns" }] });

export const grafanaOptions = z.array(option).meta({ id: "GrafanaOptions" });

export const grafanaVariableRequest = z
  .looseObject({ payload: z.looseObject({ target: z.string() }) })
  .meta({ id: "GrafanaVariableRequest", examples: [{ payload: { target: "ns" } }] });

export const grafanaVariable = z
  .array(z.object({ __text: z.string(), __value: z.string() }))
  .meta({ id: "GrafanaVariable" });

export const grafanaTagKeys = z
  .array(z.object({ type: z.literal("string"), text: z.string() }))
  .meta({ id: "GrafanaTagKeys" });

export const grafanaTagRequest = z
  .looseObject({ key: z.string() })
  .meta({ id: "GrafanaTagRequest", examples: [{ key: "reason" }] });

export const grafanaTagValues = z
  .array(z.object({ text: z.string() }))
  .meta({ id: "GrafanaTagValues" });

export const grafanaHealth = z
  .object({ status: z.literal("ok") })
  .meta({ id: "GrafanaHealth", description: "Whoever gets this may ask" });

/** What a request without a question may hold: anything, for it is not looked at. */
export const grafanaAnything = z.looseObject({}).meta({ id: "GrafanaAnything", examples: [{}] });
