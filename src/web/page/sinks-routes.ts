import { accessFor, callerOf, type GuardedEnv, mustBeAllowed } from "../auth/caller.ts";
import { formOf } from "../auth/form.ts";
import { changing } from "../auth/guarded.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Hono } from "../server.ts";
import type { Desk } from "./desk.ts";
import { askBy, type C, page, readerFor, unlessUnreadable, visibleOf } from "./frame.ts";
import { homesOf } from "./homes.ts";
import { drawSinks } from "./sinks-page.ts";

const DEAD_SHOWN = 100;

/** What each sink does, and what may be done about what was given up. */
export function mountSinks(app: Hono<GuardedEnv>, desk: Desk): void {
  app.get("/sinks", async (c) => {
    const reader = readerFor(c, desk);
    const { namespaces } = await accessFor(c, "read", [], desk.namespaces);
    const ask = askBy(c, desk, visibleOf(namespaces));
    const [counts, dead] = await Promise.all([
      unlessUnreadable(desk.reader.sinks(ask)),
      unlessUnreadable(
        desk.reader.deliveries({ state: "dead", sink: null, limit: DEAD_SHOWN }, null, ask),
      ),
    ]);
    return page(c, desk, reader, "sinks", reader.words.nav.sinks, 200, {
      troubles: [counts, dead].flatMap(({ trouble }) => trouble ?? []),
      body: drawSinks({
        statuses: desk.sinks(),
        counts: counts.value,
        dead: dead.value?.rows ?? null,
        moreDead: (dead.value?.next ?? null) !== null,
        csrf: callerOf(c).csrf,
        mayChange: await mayChange(c, desk),
        reader,
      }),
    });
  });

  app.post("/deliveries/:id", async (c) => {
    const id = c.req.param("id");
    const act = (await formOf(c)).get("act");
    if (act !== "retry" && act !== "discard")
      throw new Refusal(400, "act: expected retry or discard");
    await settleDead(c, desk, id, act);
    return c.redirect("/sinks#dead", 303);
  });
}

/**
 * Owes a dead letter again, or discards it, for a caller who may.
 * @throws Refusal
 */
export async function settleDead(
  c: C,
  desk: Desk,
  id: string,
  act: "retry" | "discard",
): Promise<void> {
  await changing(c, desk, { action: act, target: id }, async () => {
    const delivery = await desk.delivery(id);
    await mustBeAllowed(c, "change", delivery === null ? null : homesOf(delivery.alert));
    const isOne = delivery?.alert.kind === "event";
    await desk.settleDead(id, act, isOne ? [delivery.alert.event.eventNamespace] : "all");
  });
}

async function mayChange(c: C, { namespaces }: Desk): Promise<boolean> {
  try {
    const access = await accessFor(c, "change", [], namespaces);
    return access.namespaces === "all" || access.namespaces.size > 0;
  } catch (error) {
    if (error instanceof Refusal && error.status === 403) return false;
    throw error;
  }
}
