import { toYaml } from "../../config/yaml.ts";
import { decided, findDecision, narrowed } from "../../explain/decision.ts";
import { QueryError } from "../../history/parse.ts";
import { type GuardedEnv, maySeeSetup, mustBeAllowed } from "../auth/caller.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Hono } from "../server.ts";
import type { Desk } from "./desk.ts";
import { drawEvent } from "./event-page.ts";
import { askBy, askFor, page, readerFor, readQuery, sinkNames, unlessUnreadable } from "./frame.ts";
import { homesOfDecision } from "./homes.ts";
import { drawObjectStory } from "./object-page.ts";
import { ownStory } from "./own-story.ts";
import { eventPath } from "./rows.ts";
import { drawSummary, summaryTitle } from "./summary-page.ts";

/** Rows of one object's story; older ones are a filter away. */
const STORY_ROWS = 500;

/** One event, and one object. */
export function mountStories(app: Hono<GuardedEnv>, desk: Desk): void {
  app.get("/events/:id", async (c) => {
    const reader = readerFor(c, desk);
    const found = await unlessUnreadable(ownStory(c, desk, c.req.param("id")));
    if (found.trouble !== null) throw new Refusal(503, found.trouble);
    const story = found.value;
    if (story === null) return c.notFound();
    const { event } = story.row;
    const decision = decided(desk.config, story);
    const maySee = await maySeeSetup(c, desk.namespaces);
    return page(c, desk, reader, "events", `${event.reason} ${event.object.name}`, 200, {
      chat: true,
      body: drawEvent({
        decision: maySee ? decision : { ...decision, explanation: narrowed(decision.explanation) },
        mayTry: maySee,
        yaml: toYaml(event, false),
        drawSent: desk.drawSent,
        reader,
      }),
    });
  });

  app.get("/deliveries/:id", async (c) => {
    const reader = readerFor(c, desk);
    const id = c.req.param("id");
    const ask = askBy(c, desk, "all");
    const decision = await findDecision(desk.reader, desk.config, id, ask);
    await mustBeAllowed(c, "read", homesOfDecision(decision));
    if (decision === null) return c.notFound();
    if (decision.kind === "event")
      return c.redirect(`${eventPath(decision.story.row.id)}#delivery-${id}`, 303);
    return page(c, desk, reader, "events", summaryTitle(decision.delivery.row.alert, reader), 200, {
      chat: true,
      body: drawSummary(decision.delivery, desk.drawSent, reader),
    });
  });

  app.get("/objects", async (c) => {
    const params = new URL(c.req.url).searchParams;
    const { query, problems } = readQuery(params, desk);
    if (query === null) throw new QueryError(problems);
    const reader = readerFor(c, desk);
    const ask = await askFor(c, desk, query);
    const found = await unlessUnreadable(desk.reader.events(query.filter, STORY_ROWS, null, ask));
    if (found.value === null) throw new Refusal(503, found.trouble ?? "");
    const [namespace = "-"] = query.filter.namespaces;
    const [kind = ""] = query.filter.kinds;
    const [name = ""] = query.filter.names;
    return page(c, desk, reader, "events", `${kind} ${name}`, 200, {
      body: drawObjectStory({
        object: { namespace, kind, name },
        rows: found.value.rows,
        params,
        sinks: sinkNames(desk),
        more: found.value.next !== null,
        reader,
      }),
    });
  });
}
