import type { z } from "../../../sink/schema.ts";
import { type Field, FIELDS, QueryError, type QueryProblem } from "../../../history/parse.ts";
import type { grafanaQuery, Metric } from "./contract.ts";

type Asked = z.output<typeof grafanaQuery>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** As many rows as a panel shows, where nobody says how many. */
const ROWS = "500";

/** Fields that a filter of Grafana's may have; times are the dashboard's own. */
export const FILTERS = [
  "ns",
  "kind",
  "name",
  "reason",
  "type",
  "component",
  "cluster",
  "sink",
  "state",
  "kept",
  "why",
  "q",
] as const satisfies readonly Field[];

const FIELDS_OF: Readonly<Record<Metric, readonly Field[]>> = {
  events: [...FILTERS, "limit"],
  annotations: [...FILTERS, "limit"],
  counts: [...FILTERS, "by", "step", "top"],
};

export function fieldsOf(metric: Metric): readonly Field[] {
  return FIELDS_OF[metric];
}

/**
 * What one target of a panel asks, as the query string that it is on the page.
 * @throws QueryError
 */
export function paramsOf(
  { target, payload }: Asked["targets"][number],
  { range, intervalMs, adhocFilters = [] }: Asked,
): URLSearchParams {
  const problems: QueryProblem[] = [];
  const params = new URLSearchParams({ from: range.from, to: range.to });
  const known = fieldsOf(target);
  const add = (field: string, value: string) => {
    if (known.some((one) => one === field)) {
      for (const one of valuesOf(value)) params.append(field, one);
      return;
    }
    const expected = `one of the fields: ${known.join(", ")}`;
    problems.push({ field, found: value.slice(0, 80), expected, example: "" });
  };
  for (const [field, value] of Object.entries(payload === "" ? {} : (payload ?? {})))
    for (const one of [value].flat())
      if (one !== null && one !== undefined && one !== "") add(field, textOf(one));
  for (const { key, operator, value } of adhocFilters) {
    if (operator === "=") add(key, value);
    else
      problems.push({
        field: key,
        found: `${operator} ${value.slice(0, 80)}`,
        expected: "the operator =, for there is no other here",
        example: FIELDS.reason[1],
      });
  }
  if (problems.length > 0) throw new QueryError(problems);
  if (target === "counts" && !params.has("step") && intervalMs !== undefined)
    params.set("step", stepOf(intervalMs));
  if (target !== "counts" && !params.has("limit")) params.set("limit", ROWS);
  return params;
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

/** Whole minutes, as many as the panel has room for. */
function stepOf(intervalMs: number): string {
  const minutes = Math.ceil(Math.min(intervalMs, DAY_MS) / MINUTE_MS);
  return `${minutes}m`;
}

/**
 * The values of a variable. Grafana writes them into a text as a regular expression: `shop`, `(shop|data)`, with what means something
 * there escaped.
 */
function valuesOf(text: string): readonly string[] {
  const many = /^\((.*)\)$/s.exec(text)?.[1];
  const parts = many === undefined ? [text] : many.split(/(?<!\\)\|/);
  return parts.map((part) => part.replaceAll(/\\([\\^$*+?.()|[\]{}/-])/g, "$1"));
}
