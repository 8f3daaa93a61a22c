import type { Decision } from "../../explain/decision.ts";
import type { EventBrief, EventStory } from "../../history/history.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { CONFIGURATION_WORDS } from "./configuration-words.ts";
import type { Desk } from "./desk.ts";
import { count, moment, type Reader } from "./reader.ts";
import { drawObject, eventPath, messageText } from "./rows.ts";
import { drawTrace } from "./trace.ts";

export interface EventView {
  readonly decision: Extract<Decision, { kind: "event" }>;
  /** The page of the configuration is for this reader, too. */
  readonly mayTry: boolean;
  /** The event as YAML. */
  readonly yaml: string;
  readonly drawSent: Desk["drawSent"];
  readonly reader: Reader;
}

const NO_FIELDS = new URLSearchParams();

/** One event: its fields and its YAML on one side, the story of its delivery on the other, then what happened around it. */
export function drawEvent({ decision, mayTry, yaml, drawSent, reader }: EventView): Html {
  const { story, explanation, differences } = decision;
  const { words } = reader;
  const { row, occurrences, object } = story;
  const { event } = row;
  const { namespace, kind, name } = event.object;
  const own = { ns: namespace ?? "-", kind, name };
  return html`<p class="crumbs"><a href="/">${words.back}</a></p>
    <h1>${event.reason} <small>${event.type}</small></h1>
    <p class="message">${event.message}</p>
    <div class="columns">
      <section aria-label="${words.event}">
        <h2>${words.event}</h2>
        <dl>
          ${fields(story, reader).map(
            ([term, value]) =>
              html`<dt>${term}</dt>
                <dd>${value}</dd>`,
          )}
        </dl>
        <p class="more">
          <a href="${withFields("/objects", NO_FIELDS, own)}"
            >${words.workload(`${kind} ${name}`)}</a
          >
        </p>
        <details>
          <summary>${words.raw}</summary>
          <pre class="yaml">${yaml}</pre>
        </details>
      </section>
      <section aria-label="${words.delivery}">
        <h2>${words.delivery}</h2>
        ${drawTrace({
          seenAt: row.receivedAt,
          event,
          suppressed: row.suppressed,
          explanation,
          differences,
          deliveries: row.deliveries,
          drawSent,
          reader,
        })}
        ${
          mayTry
            ? html`<p class="more">
                <a href="${withFields("/configuration", NO_FIELDS, { id: row.id })}"
                  >${CONFIGURATION_WORDS[reader.lang].tryThis}</a
                >
              </p>`
            : ""
        }
      </section>
    </div>
    ${occurrences.length === 0 ? "" : drawBriefs(words.occurrences, occurrences, reader)}
    ${object.length === 0 ? "" : drawBriefs(words.sameObject, object, reader)}`;
}

function fields(
  { row: { event } }: EventStory,
  reader: Reader,
): readonly (readonly [term: string, value: Html | string])[] {
  const { object, related, reporter } = event;
  const optional = (term: string, value: string | null) =>
    value === null || value === "" ? [] : [[term, value] as const];
  return [
    ["object", drawObject(event, NO_FIELDS, "/")],
    ...optional("fieldPath", object.fieldPath),
    ...optional(
      "related",
      related && [related.namespace, related.kind, related.name].filter(Boolean).join(" "),
    ),
    ...optional("action", event.action),
    ["count", count(event.count, reader)],
    ["first", moment(event.firstSeen, reader)],
    ["last", moment(event.lastSeen, reader)],
    ...optional("component", reporter.component),
    ...optional("host", reporter.host),
    ...optional("cluster", event.cluster),
    ...optional("name", event.eventName),
    ["uid", event.uid],
  ];
}

export function drawBriefs(title: string, briefs: readonly EventBrief[], reader: Reader): Html {
  return html`<section>
    <h2>${title}</h2>
    <table class="briefs">
      <tbody>
        ${briefs.map(
          ({ id, at, event }) =>
            html`<tr>
              <td class="when">${moment(at, reader)}</td>
              <td class="n">${count(event.count, reader)}</td>
              <td>${event.reason}</td>
              <td class="message"><a href="${eventPath(id)}">${messageText(event, reader)}</a></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
