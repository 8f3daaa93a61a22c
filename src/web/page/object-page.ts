import { severityOf } from "../../event/severity.ts";
import type { EventRow } from "../../history/history.ts";
import { kindsMadeBy, makerOf } from "../../event/workload.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { count, moment, type Reader } from "./reader.ts";
import { drawRows, eventPath } from "./rows.ts";

export interface ObjectView {
  readonly object: { readonly namespace: string; readonly kind: string; readonly name: string };
  /** Newest first. */
  readonly rows: readonly EventRow[];
  readonly params: URLSearchParams;
  readonly sinks: readonly string[];
  /** More of it is older than these. */
  readonly more: boolean;
  readonly reader: Reader;
}

const NO_FIELDS = new URLSearchParams();
const WIDTH = 1200;
const LANE = 22;
const LABEL = 170;

/** The whole story of an object, and of what a workload made: a lane for each reason on one axis of time, then every event of it. */
export function drawObjectStory(view: ObjectView): Html {
  const { object, rows, reader, more } = view;
  const { namespace, kind, name } = object;
  const { words } = reader;
  const maker = makerOf(object);
  const made = kindsMadeBy(kind);
  return html`<p class="crumbs">
      <a href="/">${words.back}</a>
      ${
        maker === null
          ? ""
          : html`<a href="${withFields("/objects", NO_FIELDS, { ns: namespace, ...maker })}"
              >${words.workload(`${maker.kind} ${maker.name}`)}</a
            >`
      }
    </p>
    <h1>${namespace === "-" ? "" : `${namespace}/`}${name} <small>${kind}</small></h1>
    ${made.length === 0 ? "" : html`<p class="soft">${words.withMade(made)}</p>`}
    ${
      rows.length === 0
        ? html`<p class="soft">${reader.words.empty.filtered}</p>`
        : html`${drawLanes(rows, reader)}
            <div class="scroll">${drawRows({ ...view, rows })}</div>
            ${more ? html`<p class="soft">${words.reportCut(count(rows.length, reader))}</p>` : ""}`
    }`;
}

function drawLanes(rows: readonly EventRow[], reader: Reader): Html {
  const reasons = [...new Set(rows.map(({ event }) => event.reason).toReversed())];
  const times = rows.flatMap(({ event, at }) => [beginOf(event.firstSeen, at), at]);
  const from = Math.min(...times);
  const to = Math.max(...times, from + 60_000);
  const x = (at: number) => LABEL + ((at - from) / (to - from)) * (WIDTH - LABEL - 10);
  const height = reasons.length * LANE + 6;
  return html`<figure class="lanes">
    <svg viewBox="0 0 ${WIDTH} ${height}" role="group" aria-label="${reasons.join(", ")}">
      ${reasons.map((reason, lane) => {
        const middle = lane * LANE + LANE / 2 + 3;
        return html`<text x="0" y="${middle + 4}">${reason}</text>
          <line x1="${LABEL}" x2="${WIDTH}" y1="${middle}" y2="${middle}" />
          ${rows
            .filter(({ event }) => event.reason === reason)
            .map((row) => drawMark(row, x, middle))}`;
      })}
    </svg>
    <figcaption>${moment(from, reader)} – ${moment(to, reader)}</figcaption>
  </figure>`;
}

/** A dot where it was last seen, and a line back to where it began. */
function drawMark({ event, at, id }: EventRow, x: (at: number) => number, y: number): Html {
  const begun = x(beginOf(event.firstSeen, at));
  const end = x(at);
  return html`<a href="${eventPath(id)}" class="${severityOf(event)}"
    ><title>${`${event.lastSeen} · ${event.reason} × ${event.count} · ${event.message}`}</title>${
      end - begun > 2
        ? html`<line class="span" x1="${round(begun)}" x2="${round(end)}" y1="${y}" y2="${y}" />`
        : ""
    }<circle cx="${round(end)}" cy="${y}" r="4.5"
  /></a>`;
}

function beginOf(firstSeen: string, at: number): number {
  const first = Date.parse(firstSeen);
  return Number.isNaN(first) ? at : Math.min(first, at);
}

const round = (value: number): number => Math.round(value * 10) / 10;
