import type { SinkCounts } from "../../history/history.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import { storedKey } from "../../ledger/key.ts";
import { spanText } from "../../template/times.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { deliveryPath, eventPath } from "./rows.ts";
import { spanOf, summaryTitle } from "./summary-page.ts";
import { count, moment, type Reader } from "./reader.ts";

/** What a sink's worker is doing now. */
export interface SinkStatus {
  readonly name: string;
  readonly type: string;
  readonly state: "open" | "paused" | "broken";
  /** Milliseconds since the epoch; when it goes on, or tries again. `null`: it is open. */
  readonly until: number | null;
  readonly inFlight: number;
  /** Requests that the platform's limit still allows now; `null`: it has none. */
  readonly budget: { readonly left: number; readonly count: number; readonly perMs: number } | null;
  /** Of the last deliveries, from owed to accepted, in milliseconds; `null`: none yet. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  readonly lastError: {
    readonly at: number;
    readonly reason: string;
    readonly detail: string;
  } | null;
}

export interface SinksView {
  readonly statuses: readonly SinkStatus[];
  /** `null`: the store cannot be read. */
  readonly counts: readonly SinkCounts[] | null;
  /** The newest; `null`: the store cannot be read. */
  readonly dead: readonly DeliveryRow[] | null;
  /** There are more of them. */
  readonly moreDead: boolean;
  /** The form token of a caller who may change things; `null`: none is needed, or they may not. */
  readonly csrf: string | null;
  readonly mayChange: boolean;
  readonly reader: Reader;
}

const SHAPES = { open: "✓", paused: "‖", broken: "✗" } as const;

/** State, queue, budget and last error of each sink; below, what was given up. */
export function drawSinks(view: SinksView): Html {
  const { statuses, counts, dead, reader } = view;
  const { words } = reader;
  return html`<h1>${words.nav.sinks}</h1>
    <div class="scroll">
      <table class="sinks">
        <thead>
          <tr>
            ${words.sinkColumns.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${statuses.map((status) =>
            drawStatus(status, counts === null ? null : countsOf(status.name, counts), reader),
          )}
        </tbody>
      </table>
    </div>
    <h2 id="dead">${words.deadLetters}</h2>
    ${dead === null ? html`<p class="soft">–</p>` : drawDead(view, dead)}`;
}

/** A sink that nothing is owed to is not counted. */
function countsOf(sink: string, counts: readonly SinkCounts[]): SinkCounts {
  const none = { sink, pending: 0, dead: 0, capped: false, oldestOwedAt: null };
  return counts.find((one) => one.sink === sink) ?? none;
}

const DAY_MS = 86_400_000;
/** Back beyond the oldest that is owed by a day at least: it may have happened long before it was. */
function sinceOldest(counts: SinkCounts | null, now: number): string {
  const oldest = counts?.oldestOwedAt ?? now;
  return `${Math.max(0, Math.ceil((now - oldest) / DAY_MS)) + 1}d`;
}

function drawStatus(
  { name, type, state, until, inFlight, budget, latency, lastError }: SinkStatus,
  counts: SinkCounts | null,
  reader: Reader,
): Html {
  const { words, lang } = reader;
  const { sinkStates: states, sinkColumns: labels } = words;
  const list = (changes: Readonly<Record<string, string>>) =>
    withFields("/", new URLSearchParams(), { sink: name, since: "24h", ...changes });
  const plus = counts?.capped === true ? "+" : "";
  return html`<tr class="${state}">
    <td><a href="${list({})}">${name}</a> <span class="soft">${type}</span></td>
    <td data-label="${labels[1] ?? ""}">
      <i class="mark ${state}" aria-hidden="true">${SHAPES[state]}</i> ${states[state]}
      ${until === null ? "" : moment(until, reader)}
    </td>
    <td class="n" data-label="${labels[2] ?? ""}">
      <a href="${list({ state: "pending", since: sinceOldest(counts, reader.now) })}"
        >${counts === null ? "–" : count(counts.pending, reader)}${plus}</a
      >
      ${inFlight === 0 ? "" : html`<span class="soft">(${count(inFlight, reader)} ${words.inFlight})</span>`}
    </td>
    <td class="when" data-label="${labels[3] ?? ""}">
      ${counts === null || counts.oldestOwedAt === null ? "" : moment(counts.oldestOwedAt, reader)}
    </td>
    <td class="n" data-label="${labels[4] ?? ""}">
      <a href="#dead">${counts === null ? "–" : count(counts.dead, reader)}${plus}</a>
    </td>
    <td class="n" data-label="${labels[5] ?? ""}">
      ${
        budget === null
          ? html`<span class="soft">–</span>`
          : `${budget.left} / ${budget.count} · ${spanText(budget.perMs, lang)}`
      }
    </td>
    <td class="n" data-label="${labels[6] ?? ""}">
      ${latency === null ? "" : `${count(latency.p50, reader)} / ${count(latency.p99, reader)} ms`}
    </td>
    <td class="message" data-label="${labels[7] ?? ""}">
      ${
        lastError === null
          ? ""
          : html`${moment(lastError.at, reader)} <b>${lastError.reason}</b> ${lastError.detail}`
      }
    </td>
  </tr>`;
}

function drawDead(
  { moreDead, csrf, mayChange, reader }: SinksView,
  dead: readonly DeliveryRow[],
): Html {
  const { words } = reader;
  if (dead.length === 0) return html`<p class="soft">${words.noDeadLetters}</p>`;
  return html`<div class="scroll">
    <table class="dead">
      <thead>
        <tr>
          ${words.deadColumns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${dead.map(
          (delivery) =>
            html`<tr id="dead-${delivery.id}">
              <td class="when">${moment(delivery.settledAt ?? delivery.owedAt, reader)}</td>
              <td>${delivery.sink}</td>
              <td>${drawAlert(delivery, reader)}</td>
              <td class="message"><b>${delivery.reason}</b> ${delivery.detail}</td>
              <td class="acts">${mayChange ? drawActs(delivery.id, csrf, reader) : ""}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${moreDead ? html`<p class="soft">${words.deadLettersCut(count(dead.length, reader))}</p>` : ""}
    ${mayChange ? "" : html`<p class="soft">${words.mayNotChange}</p>`}
  </div>`;
}

function drawActs(id: string, csrf: string | null, { words }: Reader): Html {
  return html`<form method="post" action="${deliveryPath(id)}">
    ${csrf === null ? "" : html`<input type="hidden" name="_csrf" value="${csrf}" />`}
    <button name="act" value="retry">${words.retry}</button>
    <button name="act" value="discard">${words.discard}</button>
  </form>`;
}

function drawAlert({ id, alert }: DeliveryRow, reader: Reader): Html {
  if (alert.kind === "event") {
    const { reason, object } = alert.event;
    return html`<a href="${eventPath(storedKey(alert.event))}"
      >${reason} ${object.kind} ${object.name}</a
    >`;
  }
  const [from, to] = spanOf(alert);
  return html`<a href="${deliveryPath(id)}">${summaryTitle(alert, reader)}</a>
    <span class="soft">${moment(from, reader)} – ${moment(to, reader)}</span>`;
}
