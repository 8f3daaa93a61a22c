import type { DeliveryState } from "../../event/delivery.ts";
import { severityOf } from "../../event/severity.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import type { EventPage, EventRow, Timeline } from "../../history/history.ts";
import { html, type Html, raw } from "../server.ts";
import { count, moment, type Reader, stamp } from "./reader.ts";
import { drawStrip } from "./strip.ts";
import { MARKS } from "./told.ts";

export interface ReportView {
  readonly cluster: string;
  readonly params: URLSearchParams;
  /** What was asked for: `null` leaves it to what was found. */
  readonly from: number | null;
  readonly to: number | null;
  readonly page: EventPage;
  readonly timeline: Timeline | null;
  /** Of the page, whose rules a file of its own has to bring along. */
  readonly style: string;
  readonly reader: Reader;
}

/** One file to keep and to print: what happened, oldest first, and who was told. It loads nothing and leads nowhere. */
export function drawReport(view: ReportView): Html {
  const { cluster, params, page, timeline, style, reader } = view;
  const { words, now } = reader;
  const from = view.from ?? timeline?.from ?? now;
  const rows = page.rows.toReversed();
  const filter = [...params].filter(([name, value]) => value !== "" && name !== "lang");
  return html`<!doctype html>
    <html lang="${words.htmlLang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="content-security-policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <title>${words.exportReport} · ${cluster}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body class="report">
        <main>
          <h1>${words.exportReport} <small>${cluster}</small></h1>
          <p class="soft">
            ${stamp(from, reader)} – ${stamp(view.to ?? Math.max(from, now), reader)} ·
            ${reader.timezone} · ${words.reportWritten} ${stamp(now, reader)} ·
            ${filter.map(([name, value]) => html`<code>${name}=${value}</code> `)}
          </p>
          ${timeline === null ? "" : drawStrip(timeline, null, reader)} ${drawSummary(rows, reader)}
          <table class="events">
            <thead>
              <tr>
                ${Object.values(words.columns).map((name) => html`<th scope="col">${name}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => drawLine(row, reader))}
            </tbody>
          </table>
          ${
            page.next === null && page.refine === null
              ? ""
              : html`<p class="refine">${words.reportCut(count(rows.length, reader))}</p>`
          }
        </main>
      </body>
    </html>`;
}

/** A line for each sink: how much of it was told there. */
function drawSummary(rows: readonly EventRow[], reader: Reader): Html {
  const bySink = new Map<string, Map<DeliveryState, number>>();
  for (const { deliveries } of rows)
    for (const { sink, state } of deliveries) {
      const states = bySink.get(sink) ?? new Map<DeliveryState, number>();
      bySink.set(sink, states.set(state, (states.get(state) ?? 0) + 1));
    }
  return html`<h2>${reader.words.delivery}</h2>
    <ul>
      ${[...bySink].map(
        ([sink, states]) =>
          html`<li>
            <b>${sink}</b>:
            ${[...states].map(
              ([state, many], index) =>
                html`${index === 0 ? "" : ", "}${MARKS[state]} ${reader.words.states[state]}
                ${count(many, reader)}`,
            )}
          </li>`,
      )}
    </ul>`;
}

/** Whether and when, and what stood in its way. */
function drawTold(delivery: DeliveryRow, reader: Reader): Html {
  const { sink, state, settledAt, attempts, reason, detail } = delivery;
  const { words } = reader;
  return html`<p class="${state}">
    ${MARKS[state]} ${sink}: ${words.states[state]}
    ${settledAt === null ? "" : moment(settledAt, reader)}
    ${
      reason === null
        ? ""
        : html`<span class="soft"
            >${words.attempts}: ${count(attempts, reader)}, ${reason}
            ${detail === null ? "" : `(${detail})`}</span
          >`
    }
  </p>`;
}

function drawLine({ event, at, deliveries, suppressed }: EventRow, reader: Reader): Html {
  const { namespace, kind, name } = event.object;
  const { words } = reader;
  return html`<tr class="${severityOf(event)}">
    <td class="when">${moment(at, reader)}</td>
    <td class="n">${count(event.count, reader)}</td>
    <td>${event.type} <b>${event.reason}</b></td>
    <td>${namespace === null ? "" : `${namespace}/`}${kind} ${name}</td>
    <td class="message">${event.message}</td>
    <td class="verdicts">
      ${deliveries.map((delivery) => drawTold(delivery, reader))}
      ${suppressed === null ? "" : (words.suppressed[suppressed] ?? suppressed)}
    </td>
  </tr>`;
}
