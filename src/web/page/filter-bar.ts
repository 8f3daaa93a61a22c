import type { QueryProblem } from "../../history/parse.ts";
import { timeTeller } from "../../template/times.ts";
import { html, type Html } from "../server.ts";
import type { Reader } from "./reader.ts";

const SPANS = ["15m", "1h", "6h", "24h", "7d"];
/** A time in an address may be a date as well. */
const DURATION = /^\d+[a-z]+$/;
/** Fields of text, with how wide they are in characters. */
const TEXTS = [
  ["ns", 12],
  ["kind", 9],
  ["name", 16],
  ["reason", 14],
] as const;

/** Those that a form sends whatever is in them: an address that somebody wrote has hardly all of them. */
export const FORM_FIELDS: readonly string[] = ["since", ...TEXTS.map(([field]) => field), "q"];

/** Fields that other parts of the page set; a filter keeps them. */
const KEPT = [
  "view",
  "by",
  "lang",
  "to",
  "from",
  "cluster",
  "type",
  "component",
  "sink",
  "state",
  "kept",
  "why",
];

/** The query string as a form: what is shown is what is asked, and submitting it is a plain link to everyone. */
export function drawFilterBar(
  params: URLSearchParams,
  problems: readonly QueryProblem[],
  reader: Reader,
): Html {
  const { words } = reader;
  const value = (field: string) => params.getAll(field).join(",");
  const problemOf = (field: string) => problems.find((problem) => problem.field === field);
  const span = value("since");
  const ends = [value("from"), value("to")];
  const shown = ends.some((end) => end !== "") && span === "" ? rangeText(ends, reader) : null;
  return html`<form class="filter" method="get" role="search">
    ${KEPT.flatMap((field) => params.getAll(field).map((text) => [field, text] as const))
      .filter(
        ([field, text]) => text !== "" && !(span !== "" && (field === "from" || field === "to")),
      )
      .map(([field, text]) => html`<input type="hidden" name="${field}" value="${text}" />`)}
    <label
      ><span>${words.fields.since}</span>
      <select name="since" ${describe("since", problemOf("since"))}>
        <option value="" ${span === "" ? html`selected` : ""}>${shown ?? words.anyTime}</option>
        ${[...new Set([...SPANS, ...(span === "" ? [] : [span])])].map(
          (one) =>
            html`<option value="${one}" ${one === span ? html`selected` : ""}>
              ${DURATION.test(one) ? words.last(one) : one}
            </option>`,
        )}
      </select>
      ${drawProblem("since", problemOf("since"))}</label
    >
    ${TEXTS.map(([field, size]) => input(field, words.fields[field], value(field), size, problemOf(field)))}
    ${input("q", words.fields.q, value("q"), 24, problemOf("q"))}
    <button>${words.apply}</button>
    ${params.size === 0 ? "" : html`<a class="clear" href="?">${words.reset}</a>`}
  </form>`;
}

/** As the timeline has it; what is no time stands as it was written, beside what is wrong with it. */
function rangeText(ends: readonly string[], { lang, timezone, now }: Reader): string {
  const teller = timeTeller(lang, timezone, now);
  return ends
    .map((end) => {
      const at = /^\d{4}-/.test(end) ? Date.parse(end) : Number.NaN;
      return Number.isNaN(at) ? end : teller.moment(new Date(at).toISOString());
    })
    .join(" – ")
    .trim();
}

function input(
  field: string,
  label: string,
  value: string,
  size: number,
  problem: QueryProblem | undefined,
): Html {
  return html`<label
    ><span>${label}</span>
    <input
      name="${field}"
      value="${value}"
      size="${size}"
      placeholder="${label}"
      autocomplete="off"
      spellcheck="false"
      ${field === "q" ? html`type="search"` : ""}
      ${describe(field, problem)}
    />
    ${drawProblem(field, problem)}</label
  >`;
}

function describe(field: string, problem: QueryProblem | undefined): Html | string {
  return problem === undefined
    ? ""
    : html`aria-invalid="true" aria-describedby="${`${field}-problem`}"`;
}

function drawProblem(field: string, problem: QueryProblem | undefined): Html | string {
  if (problem === undefined) return "";
  const { expected, example } = problem;
  return html`<em class="problem" id="${`${field}-problem`}"
    >${expected}${example === "" ? "" : `: ${example}`}</em
  >`;
}
