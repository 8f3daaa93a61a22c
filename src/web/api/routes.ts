import type { KubeEvent } from "../../event/event.ts";
import { findDecision, narrowed, narrowedDecision } from "../../explain/decision.ts";
import { explainEvent } from "../../explain/event.ts";
import { parseQuery, type Query, QueryError, type QueryProblem } from "../../history/parse.ts";
import { accessFor, type GuardedEnv, maySeeSetup, mustBeAllowed } from "../auth/caller.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Desk } from "../page/desk.ts";
import { askBy, askFor, type C, visibleOf } from "../page/frame.ts";
import { homeOf, homesOfDecision } from "../page/homes.ts";
import { settleDead } from "../page/sinks-routes.ts";
import type { TailHub } from "../page/tail.ts";
import { streamTail } from "../page/tail-stream.ts";
import type { Hono } from "../server.ts";
import * as answers from "./answers.ts";
import { openApi } from "./openapi.ts";
import { OPERATIONS } from "./operations.ts";

export interface ApiPorts {
  readonly version: string;
  readonly hub: TailHub;
  /** @throws Error that says what the text is instead */
  readonly readEvents: (text: string) => readonly KubeEvent[];
}

/** Answers are weighed by their text: whoever asks again for what has not changed gets no body. */
async function json(c: C, body: unknown): Promise<Response> {
  const text = JSON.stringify(body);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const etag = `"${Buffer.from(digest).toString("base64url").slice(0, 22)}"`;
  c.header("etag", etag);
  c.header("cache-control", "private, no-cache");
  if (c.req.header("if-none-match") === etag) return c.body(null, 304);
  return c.body(text, 200, { "content-type": "application/json; charset=utf-8" });
}

/** `/api/v1/…`, behind the guard. */
export function mountApi(app: Hono<GuardedEnv>, desk: Desk, ports: ApiPorts): void {
  const { reader } = desk;
  const document = JSON.stringify(openApi(ports.version));
  app.get("/api/v1/openapi.json", (c) =>
    c.body(document, 200, { "content-type": "application/json; charset=utf-8" }),
  );

  app.get("/api/v1/events", async (c) => {
    const { filter, limit, before, ask } = await asked(c, desk, "listEvents");
    return json(c, answers.eventPageOf(await reader.events(filter, limit, before, ask)));
  });

  app.get("/api/v1/timeline", async (c) => {
    const { filter, timeline, ask } = await asked(c, desk, "getTimeline");
    return json(c, answers.timelineOf(await reader.timeline(filter, timeline, ask)));
  });

  app.get("/api/v1/events/:id", async (c) => {
    const ask = askBy(c, desk, "all");
    const story = await reader.event(c.req.param("id"), ask);
    await mustBeAllowed(c, "read", story === null ? null : [homeOf(story.row.event)]);
    return story === null ? c.notFound() : json(c, answers.storyOf(story));
  });

  app.get("/api/v1/deliveries", async (c) => {
    const { filter, limit, ask, cursor } = await asked(c, desk, "listDeliveries");
    const [state = "dead", ...others] = filter.states;
    const [sink = null] = filter.sinks;
    if ((state !== "dead" && state !== "pending") || others.length > 0)
      throw new QueryError([
        {
          field: "state",
          found: filter.states.join(","),
          expected: "pending or dead",
          example: "dead",
        },
      ]);
    return json(
      c,
      answers.deliveryPageOf(await reader.deliveries({ state, sink, limit }, cursor, ask)),
    );
  });

  for (const act of ["retry", "discard"] as const)
    app.post(`/api/v1/deliveries/:id/${act}`, async (c) => {
      await settleDead(c, desk, c.req.param("id"), act);
      return c.body(null, 204);
    });

  app.get("/api/v1/sinks", async (c) => {
    const { namespaces } = await accessFor(c, "read", [], desk.namespaces);
    const counts = await reader.sinks(askBy(c, desk, visibleOf(namespaces)));
    const sinks = desk.sinks().map((status) => {
      const none = { sink: status.name, pending: 0, dead: 0, capped: false, oldestOwedAt: null };
      return answers.sinkOf(status, counts.find(({ sink }) => sink === status.name) ?? none);
    });
    return json(c, { sinks });
  });

  app.get("/api/v1/explain/:id", async (c) => {
    const ask = askBy(c, desk, "all");
    const decision = await findDecision(reader, desk.config, c.req.param("id"), ask);
    await mustBeAllowed(c, "read", homesOfDecision(decision));
    if (decision === null) return c.notFound();
    const whole = await maySeeSetup(c, desk.namespaces);
    return json(c, answers.decisionOf(whole ? decision : narrowedDecision(decision)));
  });

  app.post("/api/v1/explain", async (c) => {
    const event = readOne(await c.req.text(), ports.readEvents);
    const explanation = explainEvent(desk.config, event);
    if (await maySeeSetup(c, desk.namespaces))
      return json(c, answers.explanationOf(event, explanation));
    // Whoever may not see a namespace is not told what becomes of its events either.
    await accessFor(c, "read", [homeOf(event)], desk.namespaces);
    return json(c, answers.explanationOf(event, narrowed(explanation)));
  });

  app.get("/api/v1/tail", async (c) => {
    const { filter, ask } = await asked(c, desk, "followEvents");
    return streamTail(c, desk, ports.hub, {
      filter,
      visible: ask.visible,
      event: "event",
      draw: (row) => JSON.stringify(answers.eventRowOf(row)),
    });
  });
}

/** @throws Refusal 400 */
function readOne(text: string, read: ApiPorts["readEvents"]): KubeEvent {
  try {
    const [event] = read(text);
    if (event !== undefined) return event;
    throw new Error("there is no event in it");
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      400,
      `${detail}; expected an Event as \`kubectl get event NAME -o json\` prints it`,
    );
  }
}

/** What a call of the API asks, held against the fields that count for it, and who asks. */
async function asked(c: C, desk: Desk, id: string) {
  const { fields } = OPERATIONS.find((operation) => operation.id === id) ?? { fields: [] };
  const params = new URL(c.req.url).searchParams;
  const unknown: QueryProblem[] = [...new Set(params.keys())]
    .filter((name) => !fields.some((field) => field === name))
    .map((name) => ({
      field: name,
      found: params.get(name) ?? "",
      expected: `one of the fields: ${fields.join(", ")}`,
      example: "",
    }));
  for (const { field } of unknown) params.delete(field);
  // Of deliveries, which have no time of their own: a number.
  const place = id === "listDeliveries" ? params.get("cursor") : null;
  if (place !== null) params.delete("cursor");
  if (place !== null && !/^\d{1,15}$/.test(place))
    unknown.push({
      field: "cursor",
      found: place,
      expected: "`next` of the page before",
      example: "",
    });
  const query = read(params, desk.clock.now(), unknown);
  return {
    ...query,
    ask: await askFor(c, desk, query),
    cursor: place === null ? null : Number(place),
  };
}

/** With what was wrong before: everything is said at once. */
function read(params: URLSearchParams, now: number, before: readonly QueryProblem[]): Query {
  try {
    const query = parseQuery(params, now);
    if (before.length === 0) return query;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new QueryError([...before, ...error.problems]);
  }
  throw new QueryError(before);
}
