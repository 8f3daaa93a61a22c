import type { KubeEvent } from "../../event/event.ts";
import { severityOf } from "../../event/severity.ts";
import type { EventRow } from "../../history/history.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { count, moment, type Reader } from "./reader.ts";
import { drawTold } from "./told.ts";

export interface RowsView {
  readonly rows: readonly EventRow[];
  readonly params: URLSearchParams;
  /** Names of the sinks that are configured, in their order. */
  readonly sinks: readonly string[];
  readonly reader: Reader;
}

const SHAPES = { critical: "▲", warning: "●", info: "○", notice: "□" } as const;

export function eventPath(id: string): string {
  return `/events/${encodeURIComponent(id)}`;
}

/** Of a delivery: what became of it, and what it tells. */
export function deliveryPath(id: string): string {
  return `/deliveries/${encodeURIComponent(id)}`;
}

/** Of an event, where it is the text of a link: an event without a message can be opened, too. */
export function messageText({ message }: Pick<KubeEvent, "message">, { words }: Reader): string {
  return message.trim() === "" ? words.noMessage : message;
}

/** The table of events, one row for each occurrence. */
export function drawRows({ rows, params, sinks, reader }: RowsView): Html {
  return drawTable(
    reader,
    rows.map((row) => drawRow(row, params, sinks, reader)),
  );
}

/** The table of events by object and reason, newest first: one row for all of a page's occurrences of the same. */
export function drawGroups({ rows, params, sinks, reader }: RowsView): Html {
  const groups = new Map<string, EventRow[]>();
  for (const row of rows) {
    const { object, reason } = row.event;
    const key = JSON.stringify([object.namespace, object.kind, object.name, reason]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return drawTable(
    reader,
    [...groups.values()].flatMap((group) => {
      const [newest] = group;
      return newest === undefined ? [] : [drawRow(newest, params, sinks, reader, group.length)];
    }),
  );
}

function drawTable({ words }: Reader, rows: readonly Html[]): Html {
  const { last, count: times, reason, object, message, told } = words.columns;
  return html`<table class="events">
    <thead>
      <tr>
        ${[last, times, reason, object, message, told].map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody id="rows">
      ${rows}
    </tbody>
  </table>`;
}

/** @param occurrences how many the row stands for; 1: the event's own count is shown */
export function drawRow(
  row: EventRow,
  params: URLSearchParams,
  sinks: readonly string[],
  reader: Reader,
  occurrences = 1,
): Html {
  const { event, id, at, deliveries, suppressed } = row;
  const severity = severityOf(event);
  return html`<tr data-id="${id}" class="${severity}">
    <td class="when">${moment(at, reader)}</td>
    <td class="n">${count(Math.max(event.count, occurrences), reader)}</td>
    <td class="reason">
      <i class="severity" aria-label="${event.type}" role="img">${SHAPES[severity]}</i>
      <a href="${withFields("", params, { reason: event.reason })}">${event.reason}</a>
    </td>
    <td class="object" title="${event.object.name}">${drawObject(event, params)}</td>
    <td class="message"><a href="${eventPath(id)}">${messageText(event, reader)}</a></td>
    <td class="told">${drawTold(deliveries, suppressed, sinks, reader)}</td>
  </tr>`;
}

/**
 * `shop/Pod web-7d4b9c`, each part a filter.
 * @param path where the filtered list is
 */
export function drawObject(
  { object }: Pick<KubeEvent, "object">,
  params: URLSearchParams,
  path = "",
): Html {
  const { namespace, kind, name } = object;
  const ns = namespace ?? "-";
  const own = { ns, kind, name };
  return html`${
      namespace === null
        ? ""
        : html`<a href="${withFields(path, params, { ns })}">${namespace}</a>/`
    }<a href="${withFields(path, params, { kind })}">${kind}</a>
    <a class="name" href="${withFields("/objects", new URLSearchParams(), own)}">${name}</a>`;
}
