import type { Alert } from "../../event/alert.ts";
import type { DeliveryStory } from "../../history/history.ts";
import { html, type Html } from "../server.ts";
import type { Desk } from "./desk.ts";
import { drawBriefs } from "./event-page.ts";
import { count, moment, type Reader } from "./reader.ts";
import { drawDelivery } from "./trace.ts";

/** `Digest of 37`. */
export function summaryTitle(alert: Alert, reader: Reader): string {
  const { decisionWords } = reader;
  if (alert.kind !== "digest") return decisionWords.gap;
  const total = count(alert.total, reader);
  return alert.tooOld === true ? decisionWords.tooOldDigest(total) : decisionWords.digest(total);
}

/** The time that it tells of, ISO 8601. */
export function spanOf(alert: Alert): readonly [from: string, to: string] {
  switch (alert.kind) {
    case "event":
      return [alert.event.firstSeen, alert.event.lastSeen];
    case "digest":
      return [alert.from, alert.to];
    case "gap":
      return [alert.since, alert.until];
  }
}

/** A delivery that tells of several events, or of a gap: what became of it, the message, and what it tells of. */
export function drawSummary(
  { row, folded }: DeliveryStory,
  drawSent: Desk["drawSent"],
  reader: Reader,
): Html {
  const { words } = reader;
  const { alert } = row;
  const [from, to] = spanOf(alert);
  return html`<p class="crumbs"><a href="/">${words.back}</a></p>
    <h1>${summaryTitle(alert, reader)} <small>${row.sink}</small></h1>
    <p class="soft">${moment(from, reader)} – ${moment(to, reader)}</p>
    <section aria-label="${words.delivery}">
      <h2>${words.delivery}</h2>
      <ol class="trace">
        ${drawDelivery(row, null, drawSent, reader)}
      </ol>
    </section>
    ${alert.kind === "digest" ? drawFolded(alert.total, folded, reader) : ""}`;
}

function drawFolded(total: number, folded: DeliveryStory["folded"], reader: Reader): Html {
  const { decisionWords } = reader;
  if (folded.length === 0)
    return html`<section>
      <h2>${decisionWords.foldedTitle}</h2>
      <p class="soft">${decisionWords.noFolded}</p>
    </section>`;
  return html`${drawBriefs(decisionWords.foldedTitle, folded, reader)}
  ${
    folded.length < total
      ? html`<p class="soft">${decisionWords.foldedPart(count(folded.length, reader))}</p>`
      : ""
  }`;
}
