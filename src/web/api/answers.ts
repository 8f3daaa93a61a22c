import type { Decision } from "../../explain/decision.ts";
import type { Explanation } from "../../explain/event.ts";
import type { Alert } from "../../event/alert.ts";
import type { KubeEvent } from "../../event/event.ts";
import { printCursor } from "../../history/cursor.ts";
import type {
  DeliveryPage,
  EventBrief,
  EventPage,
  EventRow,
  EventStory,
  Refine,
  SinkCounts,
  Timeline,
} from "../../history/history.ts";
import { storedKey } from "../../ledger/key.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import type { z } from "../../sink/schema.ts";
import type { SinkStatus } from "../page/sinks-page.ts";
import type { TemplatesView } from "../page/templates-page.ts";
import type * as schemas from "./schemas.ts";

type Of<K extends keyof typeof schemas> = z.output<(typeof schemas)[K]>;

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

/** What the API says of what the house knows: times as texts, and nothing of what was sent, which the page alone shows. */
export function eventPageOf(
  { rows, next, refine }: EventPage,
  troubles: readonly string[],
): Of<"eventPage"> {
  return {
    events: rows.map(eventRowOf),
    next: next === null ? null : printCursor(next),
    refine: refineOf(refine),
    troubles: [...troubles],
  };
}

export function eventRowOf(row: EventRow): Of<"eventRow"> {
  const { id, at, receivedAt, event, suppressed, deliveries } = row;
  return {
    id,
    at: iso(at),
    receivedAt: iso(receivedAt),
    event: eventOf(event),
    suppressed,
    deliveries: deliveries.map(deliveryOf),
  };
}

export function storyOf({ row, occurrences, object }: EventStory): Of<"story"> {
  return {
    event: eventRowOf(row),
    occurrences: occurrences.map(briefOf),
    object: object.map(briefOf),
  };
}

export function timelineOf(timeline: Timeline): Of<"timeline"> {
  const { from, to, step, total, exact, series, refine } = timeline;
  return {
    from: iso(from),
    to: iso(to),
    stepMs: step,
    total,
    exact,
    series: series.map(({ value, total: of, counts }) => ({
      value,
      total: of,
      counts: [...counts],
    })),
    refine: refineOf(refine),
  };
}

export function deliveryPageOf({ rows, next }: DeliveryPage): Of<"deliveryPage"> {
  return { deliveries: rows.map(deliveryOf), next: next === null ? null : String(next) };
}

export function sinkOf(status: SinkStatus, counts: SinkCounts | null): Of<"sinkStatus"> {
  const { name, type, state, until, inFlight, budget, latency, lastError } = status;
  return {
    name,
    type,
    state,
    until: isoOrNull(until),
    pending: counts?.pending ?? null,
    dead: counts?.dead ?? null,
    capped: counts?.capped ?? false,
    oldestOwedAt: isoOrNull(counts?.oldestOwedAt ?? null),
    inFlight,
    budget: budget && { ...budget },
    latencyMs: latency && { ...latency },
    lastError: lastError && { ...lastError, at: iso(lastError.at) },
  };
}

/** The whole path: what is decided now, what was done then, and where that is not the same. */
export function decisionOf(decision: Decision): Of<"decision"> {
  if (decision.kind === "summary") {
    const { row, folded } = decision.delivery;
    return {
      kind: row.alert.kind,
      id: null,
      explanation: null,
      receivedAt: null,
      suppressed: null,
      deliveries: [tracedOf(row)],
      differences: [],
      occurrences: [],
      folded: folded.map(briefOf),
    };
  }
  const { story, explanation, differences } = decision;
  const { id, event, receivedAt, suppressed, deliveries } = story.row;
  return {
    kind: "event",
    id,
    explanation: explanationOf(event, explanation),
    receivedAt: iso(receivedAt),
    suppressed,
    deliveries: deliveries.map(tracedOf),
    differences: differences.map((one) => ({ ...one })),
    occurrences: story.occurrences.map(briefOf),
    folded: [],
  };
}

function tracedOf(row: DeliveryRow): Of<"decision">["deliveries"][number] {
  const tries = row.tries.map((one) => ({ ...one, at: iso(one.at) }));
  return { ...deliveryOf(row), tookMs: row.tookMs, tries };
}

export function explanationOf(
  event: KubeEvent,
  { canary, global, passed, sinks }: Explanation,
): Of<"explanation"> {
  const plain = (tests: typeof global) =>
    tests.map((test) => ({ ...test, wanted: [...test.wanted] }));
  return {
    event: eventOf(event),
    canary,
    global: plain(global),
    passed,
    sinks: sinks.map(({ allowance, ...sink }) => ({
      ...sink,
      tests: plain(sink.tests),
      allowance: { ...allowance, rates: allowance.rates.map((rate) => ({ ...rate })) },
    })),
  };
}

export async function previewOf({
  issues,
  warnings,
  looks,
}: Pick<TemplatesView, "issues" | "warnings" | "looks">): Promise<Of<"preview">> {
  return {
    issues: issues.map(({ where, message, hint }) => ({ where, message, hint })),
    warnings: [...warnings],
    looks: await Promise.all(
      looks.map(async ({ lang, drawn, text, problem }) => {
        const html = drawn === null ? null : String(await drawn);
        return { lang, html, text, problem };
      }),
    ),
  };
}

function eventOf({ core, ...event }: KubeEvent): Of<"kubeEvent"> {
  return core === undefined ? event : { ...event, core: { ...core } };
}

function deliveryOf(row: DeliveryRow): Of<"delivery"> {
  const { id, sink, state, attempts, owedAt, settledAt, notBefore } = row;
  const { reason, detail, answer, foldedInto, alert } = row;
  return {
    id,
    sink,
    state,
    attempts,
    owedAt: iso(owedAt),
    settledAt: isoOrNull(settledAt),
    notBefore: iso(notBefore),
    reason,
    detail,
    answer,
    foldedInto,
    about: aboutOf(alert),
  };
}

function aboutOf(alert: Alert): Of<"delivery">["about"] {
  return { kind: alert.kind, event: alert.kind === "event" ? storedKey(alert.event) : null };
}

function briefOf({ id, at, event }: EventBrief): Of<"story">["object"][number] {
  const { type, reason, message, count } = event;
  return { id, at: iso(at), type, reason, message, count };
}

function refineOf(refine: Refine | null): Of<"refine"> | null {
  return refine && { cause: refine.cause, since: isoOrNull(refine.since) };
}
