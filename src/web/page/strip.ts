import type { Timeline } from "../../history/history.ts";
import { spanText } from "../../template/times.ts";
import { html, type Html } from "../server.ts";
import { withFields } from "./address.ts";
import { count, moment, type Reader } from "./reader.ts";

/** Units of the drawing, which is stretched to the width there is. */
const WIDTH = 1200;
const HEIGHT = 72;

/**
 * Counts over time, stacked. A bar leads to its time, a name in the legend to its events: both work without a script, which adds
 * zooming by dragging (page.js reads the data attributes).
 * @param params the query it is of; `null`: it is to be kept, and leads nowhere
 */
export function drawStrip(
  timeline: Timeline,
  params: URLSearchParams | null,
  reader: Reader,
): Html {
  const { from, to, step, series, total } = timeline;
  const { words } = reader;
  const bars = Math.round((to - from) / step);
  const sums = Array.from({ length: bars }, (_, bar) =>
    series.reduce((sum, { counts }) => sum + (counts[bar] ?? 0), 0),
  );
  const most = Math.max(1, ...sums);
  const width = WIDTH / Math.max(1, bars);
  const at = (bar: number) => new Date(from + bar * step).toISOString();
  const lead = (changes: Parameters<typeof withFields>[2], drawn: Html | string): Html | string =>
    params === null ? drawn : html`<a href="${withFields("", params, changes)}">${drawn}</a>`;
  return html`<figure class="strip" data-from="${from}" data-to="${to}" data-step="${step}">
    ${params === null ? "" : html`<a class="skip" href="#list">${words.skipStrip}</a>`}
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="${params === null ? "img" : "group"}"
      aria-label="${words.total(count(total, reader))}"
    >
      ${sums.map((sum, bar) =>
        sum === 0
          ? ""
          : lead(
              { since: null, from: at(bar), to: at(bar + 1) },
              html`<title>${`${at(bar)} · ${sum}`}</title>${stack(timeline, bar, most).map(
                  ({ index, top, height }) =>
                    html`<rect
                      class="s${index}"
                      x="${fixed(bar * width)}"
                      y="${fixed(top)}"
                      width="${fixed(Math.max(1, width - 1))}"
                      height="${fixed(height)}"
                    />`,
                )}`,
            ),
      )}
    </svg>
    <figcaption>
      <span class="ends">${moment(from, reader)} – ${moment(to, reader)}</span>
      <span>${words.perBar(spanText(step, reader.lang))}</span>
      <ul class="legend" aria-label="${words.by}">
        ${series.map(
          ({ value, total: of }, index) =>
            html`<li>
              <i class="s${index % COLOURS}" aria-hidden="true"></i>${
                value === null
                  ? words.other
                  : lead({ [fieldOf(params?.get("by") ?? "reason")]: value }, value)
              }
              <b>${count(of, reader)}</b>
            </li>`,
        )}
      </ul>
      <span class="sum">${words.total(count(total, reader))}</span>
    </figcaption>
  </figure>`;
}

/** Colours there are; the stylesheet has as many. */
export const COLOURS = 9;

/** From the bottom up, the largest series first. */
function stack(
  { series }: Timeline,
  bar: number,
  most: number,
): readonly { readonly index: number; readonly top: number; readonly height: number }[] {
  let below = 0;
  return series.flatMap(({ counts }, index) => {
    const height = ((counts[bar] ?? 0) / most) * HEIGHT;
    if (height === 0) return [];
    below += height;
    return [{ index: index % COLOURS, top: HEIGHT - below, height }];
  });
}

/** A timeline's dimension as the field that filters by it. */
function fieldOf(by: string): string {
  return by === "namespace" ? "ns" : by;
}

const fixed = (value: number): string => String(Math.round(value * 100) / 100);
