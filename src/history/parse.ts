import { nearest } from "../config/nearest.ts";
import { DROP_REASONS, type DropReason } from "../event/reason.ts";
import { DELIVERY_STATES } from "../event/delivery.ts";
import { parseDuration } from "../sink/schema.ts";
import { readCursor } from "./cursor.ts";
import { type Cursor, DIMENSIONS, EVERYTHING, type Filter, type TimelineQuery } from "./history.ts";
import { readTime } from "./time.ts";
import { readWords } from "./words.ts";

/** One field that cannot be understood. */
export interface QueryProblem {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  readonly example: string;
}

/** A query string that asks for what there is not, with every problem in it: HTTP 400, and exit code 2 of the command line. */
export class QueryError extends Error {
  readonly problems: readonly QueryProblem[];

  constructor(problems: readonly QueryProblem[]) {
    super(problems.map(problemText).join("; "));
    this.name = "QueryError";
    this.problems = problems;
  }
}

export function problemText({ field, found, expected, example }: QueryProblem): string {
  const like = example === "" ? "" : `, like ${field}=${example}`;
  return `${field}: found "${found}", expected ${expected}${like}`;
}

export interface Query {
  readonly filter: Filter;
  readonly limit: number;
  readonly before: Cursor | null;
  readonly timeline: TimelineQuery;
}

/** What a query string may say, with what each is; the API's description is written from it. */
export const FIELDS = {
  since: ["how far back: a duration, or a time", "2h"],
  from: ["from this time on", "2026-11-20T10:00:00Z"],
  to: ["up to this time", "2026-11-20T10:30:00Z"],
  cluster: ["the cluster's name", "prod-a"],
  ns: ["the object's namespace; - for objects without one", "shop,data"],
  kind: ["the object's kind", "Pod"],
  name: ["the object's name, or its beginning with * behind", "web-7d4b9c*"],
  reason: ["the event's reason", "BackOff"],
  type: ["the event's type", "Warning"],
  component: ["who reported it", "kubelet"],
  sink: ["owed to this sink", "ops"],
  state: ["a delivery of it is in this state", "dead"],
  kept: ["all, owed (to a sink) or suppressed (kept for history alone)", "owed"],
  why: ["why it is owed to nobody", "noSink"],
  q: [
    'words of the message, the reason or the object\'s name; "quoted" ones stay together',
    "pull failed",
  ],
  limit: ["rows of a page, 1 to 1000", "50"],
  cursor: ["where the page begins: `next` of the page before", "1.mj2k0a3s.b"],
  by: ["what a timeline counts by", "reason"],
  step: [
    "length of a bar: whole minutes or hours, 1m to 1d; longer where that were more than 2,000 bars, as `stepMs` says",
    "5m",
  ],
  top: ["values that have a series of their own, 1 to 50", "8"],
} as const satisfies Record<string, readonly [what: string, example: string]>;

export type Field = keyof typeof FIELDS;

const LIMIT = 50;
const LIMIT_MAX = 1000;
const TOP = 8;
const TOP_MAX = 50;
/** Values in one list, and characters of one value: more than any person types. */
const VALUES_MAX = 50;
const VALUE_MAX = 512;
const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * The query that a query string is.
 * @param others fields that somebody else reads
 * @throws QueryError with everything that is wrong
 */
export function parseQuery(
  params: URLSearchParams,
  now: number,
  others: readonly string[] = [],
): Query {
  const problems: QueryProblem[] = [];
  const problem = (field: string, found: string, expected: string, example?: string) =>
    problems.push({
      field,
      found: found.slice(0, 80),
      expected,
      example: example ?? (FIELDS as Record<string, readonly string[]>)[field]?.[1] ?? "",
    });
  for (const field of new Set(params.keys())) {
    if (Object.hasOwn(FIELDS, field) || others.includes(field)) continue;
    const close = nearest(field, Object.keys(FIELDS));
    problem(field, params.get(field) ?? "", "no such field", close === null ? "" : undefined);
    const last = problems.pop();
    const known = close === null ? Object.keys(FIELDS).join(", ") : close;
    if (last !== undefined)
      problems.push({ ...last, expected: `one of the fields: ${known}`, example: "" });
  }
  const one = (field: Field): string | null => {
    const all = params.getAll(field).filter((text) => text !== "");
    if (all.length > 1) problem(field, all.join("&"), "one value");
    return all[0] ?? null;
  };
  const list = (field: Field): readonly string[] => {
    const all = params
      .getAll(field)
      .flatMap((text) => text.split(","))
      .map((text) => text.trim())
      .filter((text) => text !== "");
    if (all.length > VALUES_MAX) problem(field, `${all.length} values`, `at most ${VALUES_MAX}`);
    const long = all.find((text) => text.length > VALUE_MAX);
    if (long !== undefined) problem(field, long, `at most ${VALUE_MAX} characters`);
    return all;
  };
  const of = <T extends string>(field: Field, known: readonly T[]): readonly T[] =>
    list(field).filter((text): text is T => {
      if ((known as readonly string[]).includes(text)) return true;
      problem(field, text, `one of ${known.join(", ")}`);
      return false;
    });
  const choice = <T extends string>(field: Field, known: readonly T[], otherwise: T): T => {
    const all = of(field, known);
    if (all.length > 1) problem(field, all.join(","), "one value");
    return all[0] ?? otherwise;
  };
  const number = (field: Field, max: number, otherwise: number): number => {
    const text = one(field);
    if (text === null) return otherwise;
    if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= max) return Number(text);
    problem(field, text, `a whole number from 1 to ${max}`);
    return otherwise;
  };
  const time = (field: "since" | "from" | "to"): number | null => {
    const text = one(field);
    if (text === null) return null;
    const at = readTime(text, now);
    if (at === null)
      problem(field, text, "a duration back from now (30m, 2h, 7d) or an ISO 8601 time");
    return at;
  };

  const since = time("since");
  const from = time("from");
  const to = time("to");
  if (since !== null && from !== null) problem("since", one("since") ?? "", "either since or from");
  const start = from ?? since;
  if (start !== null && to !== null && start >= to)
    problem("to", one("to") ?? "", `a time after ${new Date(start).toISOString()}`);
  const filter: Filter = {
    ...EVERYTHING,
    from: start,
    to,
    clusters: list("cluster"),
    namespaces: list("ns"),
    kinds: list("kind"),
    names: list("name"),
    reasons: list("reason"),
    types: list("type"),
    components: list("component"),
    sinks: list("sink"),
    states: of("state", DELIVERY_STATES),
    kept: choice("kept", ["all", "owed", "suppressed"], "all"),
    suppressed: of("why", Object.keys(DROP_REASONS) as DropReason[]),
    words: words(),
  };
  for (const name of filter.names)
    if (name.slice(0, -1).includes("*"))
      problem("name", name, "an exact name, or its beginning with one * at the end");

  function words(): readonly string[] {
    const text = params.getAll("q").join(" ");
    if (text.length > VALUE_MAX) problem("q", text, `at most ${VALUE_MAX} characters`);
    return readWords(text.slice(0, VALUE_MAX));
  }

  const cursor = one("cursor");
  const before = cursor === null ? null : readCursor(cursor);
  if (cursor !== null && before === null)
    problem("cursor", cursor, "`next` of the page before, as it was given, or none");
  const result: Query = {
    filter,
    limit: number("limit", LIMIT_MAX, LIMIT),
    before,
    timeline: {
      by: choice("by", DIMENSIONS, "reason"),
      step: step(),
      top: number("top", TOP_MAX, TOP),
    },
  };

  function step(): number | null {
    const text = one("step");
    if (text === null) return null;
    const ms = parseDuration(text);
    if (ms !== null && ms >= MINUTE && ms <= DAY && ms % MINUTE === 0) return ms;
    problem("step", text, "whole minutes or hours, 1m to 1d");
    return null;
  }

  if (problems.length > 0) throw new QueryError(problems);
  return result;
}
