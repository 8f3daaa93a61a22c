import { explainEvent } from "../../explain/event.ts";
import { callerOf, type GuardedEnv, mustBeAllowed, mustSeeSetup } from "../auth/caller.ts";
import { formOf } from "../auth/form.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Hono } from "../server.ts";
import { drawConfiguration, type Tried } from "./configuration-page.ts";
import type { Desk } from "./desk.ts";
import { askBy, type C, page, readerFor } from "./frame.ts";
import { homeOf } from "./homes.ts";
import { readOneEvent } from "./one-event.ts";

const NOTHING: Tried = { text: "", id: "", problem: null, answer: null };

/** What counts, and what it makes of an event: a stored one by its address, any by the form. */
export function mountConfiguration(app: Hono<GuardedEnv>, desk: Desk): void {
  app.get("/configuration", async (c) => {
    await mustSeeSetup(c, desk.namespaces);
    return drawn(c, desk, await tried(c, desk, "", c.req.query("id") ?? ""));
  });
  app.post("/configuration", async (c) => {
    await mustSeeSetup(c, desk.namespaces);
    const form = await formOf(c);
    return drawn(c, desk, await tried(c, desk, form.get("event") ?? "", form.get("id") ?? ""));
  });
}

/** A problem is said at its field, with what was written still in it. */
async function tried(c: C, desk: Desk, given: string, wanted: string): Promise<Tried> {
  const [text, id] = [given.trim(), wanted.trim()];
  const field = text === "" ? "id" : "event";
  if (text === "" && id === "") return NOTHING;
  try {
    const event = text === "" ? await stored(c, desk, id) : readOneEvent(text, desk);
    const explanation = explainEvent(desk.config, event);
    return { text, id: field === "id" ? id : "", problem: null, answer: { event, explanation } };
  } catch (error) {
    if (!(error instanceof Refusal) || (error.status !== 400 && error.status !== 404)) throw error;
    return { text, id, problem: { field, message: error.message }, answer: null };
  }
}

async function stored(c: C, desk: Desk, id: string) {
  const story = await desk.reader.event(id, askBy(c, desk, "all"));
  await mustBeAllowed(c, "read", story === null ? null : [homeOf(story.row.event)]);
  if (story === null) throw new Refusal(404, "there is nothing of this id");
  return story.row.event;
}

function drawn(c: C, desk: Desk, view: Tried): Response | Promise<Response> {
  const reader = readerFor(c, desk);
  const status = view.problem === null ? 200 : 400;
  return page(c, desk, reader, "configuration", reader.words.nav.configuration, status, {
    body: drawConfiguration({
      options: desk.options(),
      tried: view,
      csrf: callerOf(c).csrf,
      reader,
    }),
  });
}
