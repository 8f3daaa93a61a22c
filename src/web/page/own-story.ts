import type { EventStory } from "../../history/history.ts";
import { accessFor, mustBeAllowed } from "../auth/caller.ts";
import type { Desk } from "./desk.ts";
import { askBy, type C, visibleOf } from "./frame.ts";
import { homeOf } from "./homes.ts";

/**
 * An event's story, as far as the caller may know it. Found first and held against their rights then: what is hidden and what does not
 * exist are answered alike. Around it stand events about the same object, which may be stored in namespaces that are not theirs.
 * @throws Refusal
 */
export async function ownStory(
  c: C,
  desk: Pick<Desk, "reader" | "signal">,
  id: string,
): Promise<EventStory | null> {
  const whole = await desk.reader.event(id, askBy(c, desk, "all"));
  const home = whole === null ? null : homeOf(whole.row.event);
  await mustBeAllowed(c, "read", home === null ? null : [home]);
  if (whole === null || home === null) return null;
  const { namespaces } = await accessFor(c, "read", [home], () => []);
  if (namespaces === "all") return whole;
  const stored = whole.row.event.eventNamespace;
  const visible = new Set([...namespaces, stored]);
  return desk.reader.event(id, askBy(c, desk, visibleOf(visible)));
}
