import type { KubeEvent } from "../../event/event.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Desk } from "./desk.ts";

/** The event of a text that somebody sent. @throws Refusal 400 */
export function readOneEvent(text: string, { readEvents }: Pick<Desk, "readEvents">): KubeEvent {
  try {
    const [event] = readEvents(text);
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
