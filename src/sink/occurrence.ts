import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import { gapEvent } from "../event/gap.ts";
import type { Message } from "./define.ts";
import { permanent } from "./verdict.ts";

/** Of a digest in a record: the events it tells of are deliveries of their own. */
export const TOLD_ALREADY = permanent(
  "rejected",
  "a record takes no digest: the events it tells of were other deliveries",
);

/** What tells an occurrence from others of its Event: where a file gives no resourceVersion, the count does. */
export function versionOf({ resourceVersion, count }: KubeEvent): string {
  return resourceVersion === "" ? `count-${count}` : resourceVersion;
}

/** What a record keeps of an alert: the occurrence, or a gap in the form of one, so that whoever counts sees it; `null` for a digest. */
export function occurrenceOf(message: {
  readonly id: string;
  readonly alert: Exclude<Alert, { readonly kind: "digest" }>;
}): KubeEvent;
export function occurrenceOf(message: Pick<Message, "id" | "alert">): KubeEvent | null;
export function occurrenceOf({ id, alert }: Pick<Message, "id" | "alert">): KubeEvent | null {
  if (alert.kind === "event") return alert.event;
  if (alert.kind === "digest") return null;
  return gapEvent(alert, id);
}
