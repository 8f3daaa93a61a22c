import type { z } from "../../../sink/schema.ts";
import type { Operation } from "../operations.ts";
import * as contract from "./contract.ts";

const post = (
  id: string,
  path: string,
  summary: string,
  body: z.ZodType,
  answer: z.ZodType,
): Operation => ({
  id,
  method: "post",
  path: `/api/v1/grafana/${path}`,
  summary,
  fields: [],
  body,
  answer,
  problems: [400, 403, 429, 503],
});

/** Of Grafana's JSON data source; docs/grafana.md. */
export const GRAFANA: readonly Operation[] = [
  {
    id: "grafanaHealth",
    method: "get",
    path: "/api/v1/grafana",
    summary: "Grafana's JSON data source tests its connection by this",
    fields: [],
    answer: contract.grafanaHealth,
    problems: [],
  },
  post(
    "grafanaMetrics",
    "metrics",
    "What Grafana may ask for, with the fields of each",
    contract.grafanaAnything,
    contract.grafanaMetrics,
  ),
  post(
    "grafanaPayloadOptions",
    "metric-payload-options",
    "What a field may be, of what the caller sees",
    contract.grafanaOptionsRequest,
    contract.grafanaOptions,
  ),
  post(
    "grafanaQuery",
    "query",
    "Tables, series and annotations for Grafana",
    contract.grafanaQuery,
    contract.grafanaAnswer,
  ),
  post(
    "grafanaVariable",
    "variable",
    "Values for a variable of a dashboard",
    contract.grafanaVariableRequest,
    contract.grafanaVariable,
  ),
  post(
    "grafanaTagKeys",
    "tag-keys",
    "Fields for ad hoc filters",
    contract.grafanaAnything,
    contract.grafanaTagKeys,
  ),
  post(
    "grafanaTagValues",
    "tag-values",
    "Values for ad hoc filters",
    contract.grafanaTagRequest,
    contract.grafanaTagValues,
  ),
];
