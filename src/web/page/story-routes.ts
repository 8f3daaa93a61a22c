import { toYaml } from "../../config/yaml.ts";
import { decided, findDecision, narrowed } from "../../explain/decision.ts";
import { belongsTo, kindsMadeBy } from "../../event/workload.ts";
import type {
  Ask,
  Cursor,
  EventPage,
  EventRow,
  Filter,
  HistoryReader,
} from "../../history/history.ts";
import { FIELDS, QueryError } from "../../history/parse.ts";
import { type GuardedEnv, maySeeSetup, mustBeAllowed } from "../auth/caller.ts";
import type { Hono } from "../server.ts";
import type { Desk } from "./desk.ts";
import { drawEvent } from "./event-page.ts";
import { askBy, askFor, page, readerFor, readQuery, sinkNames } from "./frame.ts";
import { homesOfDecision } from "./homes.ts";
import { drawObjectStory } from "./object-page.ts";
import { ownStory } from "./own-story.ts";
import { eventPath } from "./rows.ts";
import { drawSummary, summaryTitle } from "./summary-page.ts";

/** Rows of one object's story; older ones are a filter away. */
const STORY_ROWS = 500;
const STORY_PAGES = 4;

/** One event, and one object. */
export function mountStories(app: Hono<GuardedEnv>, desk: Desk): void {
  app.get("/events/:id", async (c) => {
    const reader = readerFor(c, desk);
    const story = await ownStory(c, desk, c.req.param("id"));
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
      return c.redirect(
        `${eventPath(decision.story.row.id)}#delivery-${encodeURIComponent(id)}`,
        303,
      );
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
    const { namespaces, kinds, names } = query.filter;
    const namespace = oneOf("ns", namespaces);
    const object = { kind: oneOf("kind", kinds), name: oneOf("name", names) };
    const ask = await askFor(c, desk, query);
    const found = await storyOf(desk.reader, query.filter, object, ask);
    return page(c, desk, reader, "events", `${object.kind} ${object.name}`, 200, {
      body: drawObjectStory({
        object: { ...object, namespace },
        ...found,
        params,
        sinks: sinkNames(desk),
        reader,
      }),
    });
  });
}

/** An object is one: of one namespace (`-` where it has none), kind and name. @throws QueryError */
function oneOf(field: "ns" | "kind" | "name", given: readonly string[]): string {
  const [one, ...others] = given;
  if (one !== undefined && others.length === 0) return one;
  const [what, example] = FIELDS[field];
  const found = given.join(",");
  throw new QueryError([
    { field, found, expected: `one: ${what}`, example: example.split(",")[0] ?? "" },
  ]);
}

/** Events of an object and of what a workload made, newest first. */
async function storyOf(
  reader: HistoryReader,
  filter: Filter,
  object: { readonly kind: string; readonly name: string },
  ask: Ask,
): Promise<{ readonly rows: readonly EventRow[]; readonly more: boolean }> {
  const made = kindsMadeBy(object.kind);
  const wanted =
    made.length === 0
      ? filter
      : { ...filter, kinds: [object.kind, ...made], names: [object.name, `${object.name}-*`] };
  const rows: EventRow[] = [];
  let next: Cursor | null = null;
  // What merely begins with its name is left out, and looked past.
  for (let pages = 0; pages < STORY_PAGES; pages += 1) {
    const page: EventPage = await reader.events(wanted, STORY_ROWS, next, ask);
    rows.push(
      ...page.rows.filter(({ event }) => made.length === 0 || belongsTo(object, event.object)),
    );
    next = page.next;
    if (next === null || page.refine !== null || rows.length >= STORY_ROWS) break;
  }
  return { rows: rows.slice(0, STORY_ROWS), more: next !== null || rows.length > STORY_ROWS };
}
