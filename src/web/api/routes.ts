import { findDecision, narrowed, narrowedDecision } from "../../explain/decision.ts";
import { explainEvent } from "../../explain/event.ts";
import { UnreadableError } from "../../history/history.ts";
import { parseQuery, type Query, QueryError, type QueryProblem } from "../../history/parse.ts";
import {
  accessFor,
  type GuardedEnv,
  maySeeSetup,
  mustBeAllowed,
  mustSeeSetup,
} from "../auth/caller.ts";
import type { Desk } from "../page/desk.ts";
import { follow } from "../page/follow.ts";
import type { Writing } from "../page/follower.ts";
import { askBy, askFor, type C, troublesFor, visibleOf } from "../page/frame.ts";
import { homeOf, homesOfDecision } from "../page/homes.ts";
import { readOneEvent } from "../page/one-event.ts";
import { settleDead } from "../page/sinks-routes.ts";
import { block } from "../page/sse.ts";
import { ownStory } from "../page/own-story.ts";
import type { TailHub } from "../page/tail.ts";
import { tryTemplate } from "../page/templates-routes.ts";
import type { Hono } from "../server.ts";
import * as answers from "./answers.ts";
import { mountGrafana } from "./grafana/routes.ts";
import { manners } from "./manners.ts";
import { openApi } from "./openapi.ts";
import { OPERATIONS } from "./operations.ts";
import { bodyOf, json } from "./reply.ts";
import * as requests from "./requests.ts";

export interface ApiPorts {
  readonly version: string;
  readonly hub: TailHub;
}

/** `/api/v1/…`, behind the guard. */
export function mountApi(app: Hono<GuardedEnv>, desk: Desk, ports: ApiPorts): void {
  const { reader } = desk;
  const document = openApi(ports.version);
  app.use("/api/*", manners);
  app.get("/api/v1/openapi.json", (c) => json(c, document));
  mountGrafana(app, desk);

  app.get("/api/v1/events", async (c) => {
    const { filter, limit, before, ask } = await asked(c, desk, "listEvents");
    const page = await reader.events(filter, limit, before, ask);
    return json(c, answers.eventPageOf(page, troublesFor(c, desk, "en")));
  });

  app.get("/api/v1/timeline", async (c) => {
    const { filter, timeline, ask } = await asked(c, desk, "getTimeline");
    return json(c, answers.timelineOf(await reader.timeline(filter, timeline, ask)));
  });

  app.get("/api/v1/events/:id", async (c) => {
    const story = await ownStory(c, desk, c.req.param("id"));
    return story === null ? c.notFound() : json(c, answers.storyOf(story));
  });

  app.get("/api/v1/deliveries", async (c) => {
    const { filter, limit, ask, cursor } = await asked(c, desk, "listDeliveries");
    const { states, sinks } = filter;
    const [state = "dead", ...others] = states;
    const [sink = null, ...more] = sinks;
    const wrong = (field: string, found: readonly string[], expected: string, example: string) =>
      new QueryError([{ field, found: found.join(","), expected, example }]);
    if ((state !== "dead" && state !== "pending") || others.length > 0)
      throw wrong("state", states, "pending or dead", "dead");
    if (more.length > 0) throw wrong("sink", sinks, "one sink", "ops");
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
    // What memory has is there while the store is not; whoever asks too much is told so.
    const counts = await reader
      .sinks(askBy(c, desk, visibleOf(namespaces)))
      .catch((error: unknown) => {
        if (error instanceof UnreadableError) return null;
        throw error;
      });
    const sinks = desk.sinks().map((status) => {
      const none = { sink: status.name, pending: 0, dead: 0, capped: false, oldestOwedAt: null };
      const found = counts?.find(({ sink }) => sink === status.name) ?? none;
      return answers.sinkOf(status, counts === null ? null : found);
    });
    return json(c, { sinks });
  });

  app.get("/api/v1/config", async (c) => {
    await mustSeeSetup(c, desk.namespaces);
    const options = desk.options().map((option) => ({ ...option }));
    return json(c, { cluster: desk.config.cluster, options });
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
    const sent = await bodyOf(c, requests.kubernetesEvent);
    // One Event by its kind: exactly one is read of it.
    const event = readOneEvent(JSON.stringify(sent), desk);
    const explanation = explainEvent(desk.config, event);
    if (await maySeeSetup(c, desk.namespaces))
      return json(c, answers.explanationOf(event, explanation));
    // Whoever may not see a namespace is not told what becomes of its events either.
    await accessFor(c, "read", [homeOf(event)], desk.namespaces);
    return json(c, answers.explanationOf(event, narrowed(explanation)));
  });

  app.post("/api/v1/templates/preview", async (c) => {
    const { sink, text = null, event = "" } = await bodyOf(c, requests.previewRequest);
    return json(c, await answers.previewOf(await tryTemplate(c, desk, { sink, text, event })));
  });

  app.get("/api/v1/tail", async (c) =>
    follow(c, desk, ports.hub, await asked(c, desk, "followEvents"), WRITING),
  );
}

/** What is followed, as the API tells everything. */
const WRITING: Writing = {
  key: "json",
  row: (row) => block("event", JSON.stringify(answers.eventRowOf(row))),
  gap: (cause) =>
    block(
      "gap",
      JSON.stringify({
        cause,
        detail:
          cause === "slow"
            ? "you read too slowly, and are let go; come again with Last-Event-ID to go on from there"
            : "more happened since than is given out again; /api/v1/events has it",
      }),
    ),
  end: ({ status, message }) => block("end", JSON.stringify({ status, error: message })),
};

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
