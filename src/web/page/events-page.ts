import { printCursor } from "../../history/cursor.ts";
import type { EventPage, EventRow, Refine, Timeline } from "../../history/history.ts";
import type { QueryProblem } from "../../history/parse.ts";
import { timeTeller } from "../../template/times.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { drawFilterBar } from "./filter-bar.ts";
import { moment, type Reader } from "./reader.ts";
import { drawGroups, drawRows, eventPath } from "./rows.ts";
import { drawStrip } from "./strip.ts";

export interface EventsView {
  readonly params: URLSearchParams;
  readonly problems: readonly QueryProblem[];
  /** `null`: there are problems, or the store cannot be read. */
  readonly page: EventPage | null;
  readonly timeline: Timeline | null;
  readonly sinks: readonly string[];
  /** Namespaces that the caller may see, where it is not all. */
  readonly visible: readonly string[] | null;
  /** Where there are no rows: the newest there is at all for this caller. `null`: there is none; undefined: not known. */
  readonly newest?: EventRow | null | undefined;
  /** Since when all that happens arrives; `null`: not known. */
  readonly watchingSince: number | null;
  /** Behind the newest that had arrived before this was drawn; `null`: not known. */
  readonly mark: number | null;
  readonly reader: Reader;
}

export const VIEWS = ["flat", "grouped"] as const;
const BY = ["reason", "type", "namespace", "kind", "component"] as const;

/** Filter, timeline, table. */
export function drawEvents(view: EventsView): Html {
  const { params, problems, page, timeline, mark, reader } = view;
  const { words } = reader;
  const after = mark === null ? null : String(mark);
  return html`<h1 class="unseen">${words.nav.events}</h1>
    ${drawFilterBar(params, problems, reader)}
    ${problems.length === 0 ? "" : drawProblems(problems, reader)}
    ${timeline === null ? "" : drawStrip(timeline, params, reader)}
    <div class="bar">
      <span class="views"> ${choice(params, "view", VIEWS, "flat", (one) => words[one])} </span>
      <span class="by"
        >${words.by} ${choice(params, "by", BY, "reason", (one) => words.dimensions[one])}</span
      >
      <button
        class="live"
        type="button"
        id="live"
        aria-pressed="false"
        data-tail="${withFields("/tail", params, { after })}"
        data-pause="${words.pause}"
        data-waiting="${words.waiting("%")}"
        hidden
      >
        ${words.live}
      </button>
      <span class="exports">
        <a href="${withFields("/events.csv", params, {})}" download>${words.exportCsv}</a>
        <a href="${withFields("/report", params, {})}">${words.exportReport}</a>
      </span>
    </div>
    ${page === null ? "" : drawPage(view, page)}`;
}

function drawPage(view: EventsView, page: EventPage): Html {
  const { params, reader } = view;
  const { words } = reader;
  const rows = { rows: page.rows, params, sinks: view.sinks, reader };
  const grouped = params.get("view") === "grouped";
  return html`${page.refine === null ? "" : drawRefine(page.refine, reader)}
    ${page.rows.length === 0 ? drawEmpty(view) : ""}
    <div class="scroll" id="list" tabindex="-1" ${page.rows.length === 0 ? html`hidden` : ""}>
      ${grouped ? drawGroups(rows) : drawRows(rows)}
    </div>
    <nav class="pager" aria-label="${words.older}">
      ${params.has("cursor") ? html`<a href="${withFields("", params, {})}">${words.newest}</a>` : ""}
      ${
        page.next === null
          ? ""
          : html`<a rel="next" href="${withFields("", params, { cursor: printCursor(page.next) })}"
              >${words.older}</a
            >`
      }
    </nav>`;
}

function drawProblems(problems: readonly QueryProblem[], { words }: Reader): Html {
  return html`<div class="problems" role="alert">
    <p>${words.problems}</p>
    <ul>
      ${problems.map(
        ({ field, found, expected, example }) =>
          html`<li>
            <code>${field}=${found}</code>:
            ${words.expected(expected, example === "" ? null : `${field}=${example}`)}
          </li>`,
      )}
    </ul>
  </div>`;
}

function drawRefine({ cause, since }: Refine, reader: Reader): Html {
  const { words } = reader;
  const until = since === null ? null : timeOf(since, reader);
  return html`<p class="refine" role="status">
    ${cause === "indexing" ? words.indexing(until) : words.refine(until)}
  </p>`;
}

/** Why there is nothing, and what to do. */
function drawEmpty(view: EventsView): Html {
  const { params, page, newest, watchingSince, visible, reader } = view;
  const { empty } = reader.words;
  const said = [...params].filter(([, value]) => value !== "").map(([name]) => name);
  const isFiltered = said.some((name) => !OF_THE_TIME.has(name) && !OF_THE_VIEW.has(name));
  const isNew = newest === null && !isFiltered;
  const isWide = !isFiltered && params.get("since") === "24h";
  const why = isNew ? empty.none : isFiltered ? empty.filtered : empty.quiet;
  return html`<section class="empty" id="empty">
    <h2>${empty.title}</h2>
    ${page?.refine ? "" : html`<p>${why}</p>`}
    ${isNew && watchingSince !== null ? html`<p>${empty.watching(timeOf(watchingSince, reader))}</p>` : ""}
    ${
      newest
        ? html`<p>
            ${empty.newest}
            <a href="${eventPath(newest.id)}"
              >${moment(newest.at, reader)} ${newest.event.reason}</a
            >
          </p>`
        : ""
    }
    ${isNew || isWide ? "" : html`<p><a href="/?since=24h">${empty.widen}</a></p>`}
    ${visible === null ? "" : html`<p>${empty.permissions} ${visible.join(", ") || "–"}</p>`}
  </section>`;
}

/** Fields that choose a time, and those that leave out no event. */
const OF_THE_TIME: ReadonlySet<string> = new Set(["since", "from", "to", "cursor"]);
const OF_THE_VIEW: ReadonlySet<string> = new Set(["lang", "view", "by", "top", "step", "limit"]);

const timeOf = (at: number, { lang, timezone, now }: Reader): string =>
  timeTeller(lang, timezone, now).moment(new Date(at).toISOString());

function choice<T extends string>(
  params: URLSearchParams,
  field: string,
  values: readonly T[],
  otherwise: T,
  name: (value: T) => string,
): readonly Html[] {
  const chosen = params.get(field) ?? otherwise;
  return values.map(
    (value) =>
      html`<a
        href="${withFields("", params, { [field]: value === otherwise ? null : value })}"
        ${value === chosen ? html`aria-current="true"` : ""}
        >${name(value)}</a
      >`,
  );
}
