import type { KubeEvent } from "../../event/event.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Desk } from "./desk.ts";

/** The event of a text that somebody sent. @throws Refusal 400 */
export function readOneEvent(text: string, { readEvents }: Pick<Desk, "readEvents">): KubeEvent {
  try {
    const [event, ...others] = readEvents(text);
    if (event !== undefined && others.length === 0) return event;
    throw new Error(`found ${others.length + 1} events, of which one is explained at a time`);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      400,
      `${detail}; expected an Event as \`kubectl get event NAME -o json\` prints it`,
    );
  }
}
