import type { EffectiveOption } from "../../config/config.ts";
import type { KubeEvent } from "../../event/event.ts";
import type { Explanation, SinkExplanation } from "../../explain/event.ts";
import { html, type Html } from "../server.ts";
import { CONFIGURATION_WORDS, type ConfigurationWords } from "./configuration-words.ts";
import { count, type Reader } from "./reader.ts";
import { eventPath } from "./rows.ts";
import { drawAllowance, drawTests } from "./trace.ts";

export interface ConfigurationView {
  readonly options: readonly EffectiveOption[];
  readonly tried: Tried;
  readonly csrf: string | null;
  readonly reader: Reader;
}

/** What somebody wants explained. */
export interface Tried {
  /** As it was pasted. */
  readonly text: string;
  /** The id of a stored one. */
  readonly id: string;
  /** Why there is no answer, at the field; `null`: there is one, or nothing was asked. */
  readonly problem: { readonly field: "event" | "id"; readonly message: string } | null;
  readonly answer: { readonly event: KubeEvent; readonly explanation: Explanation } | null;
}

/** Each option as it counts with where it is from, by the part it belongs to; above, an event can be tried. */
export function drawConfiguration(view: ConfigurationView): Html {
  const { options, reader } = view;
  const words = CONFIGURATION_WORDS[reader.lang];
  const sections = Map.groupBy(options, ({ section }) => section);
  return html`<h1>${reader.words.nav.configuration}</h1>
    ${drawTry(view, words)}
    <p class="soft">${words.lead}</p>
    ${[...sections].map(([section, of]) => drawSection(section, of, words, reader))}`;
}

function drawTry({ tried, csrf, reader }: ConfigurationView, words: ConfigurationWords): Html {
  const { text, id, problem, answer } = tried;
  const problemAt = (field: "event" | "id") =>
    problem?.field === field
      ? html`<span class="problem" id="${field}-problem" role="alert">${problem.message}</span>`
      : "";
  const invalid = (field: "event" | "id") =>
    problem?.field === field ? html`aria-invalid="true" aria-describedby="${field}-problem"` : "";
  return html`<section aria-labelledby="try" class="try">
    <h2 id="try">${words.tryTitle}</h2>
    <p class="soft">${words.tryLead}</p>
    <form method="post" action="/configuration">
      ${csrf === null ? "" : html`<input type="hidden" name="_csrf" value="${csrf}" />`}
      <label
        >${words.paste}
        <textarea name="event" rows="6" spellcheck="false" ${invalid("event")}>${text}</textarea>
      </label>
      ${problemAt("event")}
      <p class="bar">
        <label
          >${words.stored}
          <input
            name="id"
            value="${id}"
            size="48"
            placeholder="${words.storedHint}"
            autocomplete="off"
            ${invalid("id")}
        /></label>
        <button>${words.explain}</button>
      </p>
      ${problemAt("id")}
    </form>
    ${answer === null ? "" : drawAnswer(answer, id, words, reader)}
  </section>`;
}

function drawAnswer(
  { event, explanation }: NonNullable<Tried["answer"]>,
  id: string,
  words: ConfigurationWords,
  reader: Reader,
): Html {
  const { canary, global, passed, sinks } = explanation;
  const { kind, namespace, name } = event.object;
  const nobody = sinks.every(({ owed }) => !owed);
  return html`<div class="answer" id="answer">
    <h3>
      ${event.reason}
      <small>${event.type} · ${namespace === null ? "" : `${namespace}/`}${kind} ${name}</small>
    </h3>
    <p class="message">${event.message}</p>
    ${id === "" ? "" : html`<p><a href="${eventPath(id)}">${words.itsPage}</a></p>`}
    ${
      canary
        ? html`<p>${words.canary}</p>`
        : html`<ol class="trace">
              <li class="${passed ? "delivered" : "dead"}">
                <header>
                  <b>${words.globalFilter}</b> ${drawMark(passed)}
                  ${passed ? words.passes : words.dropped}
                  ${global.length === 0 ? html`<span class="soft">${words.noFilter}</span>` : ""}
                </header>
                ${drawTests(global)}
              </li>
              ${sinks.map((sink) => drawVerdict(sink, words, reader))}
            </ol>
            ${nobody ? html`<p><b>${words.nobody}</b></p>` : ""}`
    }
  </div>`;
}

function drawVerdict(
  { sink, type, tests, passed, owed, allowance }: SinkExplanation,
  words: ConfigurationWords,
  reader: Reader,
): Html {
  return html`<li class="${owed ? "delivered" : "none"}">
    <header>
      <b>${sink}</b> <span class="soft">${type}</span> ${drawMark(owed)}
      ${owed ? words.told : words.notTold}
      ${!owed && passed ? html`<span class="soft">${words.byGlobal}</span>` : ""}
      ${tests.length === 0 ? html`<span class="soft">${words.noFilter}</span>` : ""}
    </header>
    ${drawTests(tests)} ${owed ? drawAllowance(allowance, reader) : ""}
  </li>`;
}

function drawMark(good: boolean): Html {
  return html`<i class="mark ${good ? "delivered" : "dead"}" aria-hidden="true"
    >${good ? "✓" : "✗"}</i
  >`;
}

function drawSection(
  section: string,
  options: readonly EffectiveOption[],
  words: ConfigurationWords,
  reader: Reader,
): Html {
  const given = options.filter(({ where }) => where !== null);
  const rest = options.filter(({ where }) => where === null);
  return html`<section class="options">
    <h2>${titleOf(section, words)}</h2>
    ${given.length === 0 ? html`<p class="soft">${words.allDefaults}</p>` : drawTable(given, words)}
    ${
      rest.length === 0
        ? ""
        : html`<details>
            <summary>${words.defaults(count(rest.length, reader))}</summary>
            ${drawTable(rest, words)}
          </details>`
    }
  </section>`;
}

/** `sinks.oncall` under its name, as a person calls it. */
function titleOf(section: string, { sections }: ConfigurationWords): Html | string {
  if (section === "global" || section === "filter") return sections[section];
  const isSink = section.startsWith("sinks.");
  const name = section.replace(/^(?:sinks\.|sources)/, "").replaceAll(/[[\]]/g, "");
  return html`${isSink ? sections.sinks : sections.sources}
    <code>${isSink ? name : Number(name) + 1}</code>`;
}

function drawTable(options: readonly EffectiveOption[], words: ConfigurationWords): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">${words.option}</th>
          <th scope="col">${words.value}</th>
          <th scope="col">${words.from}</th>
        </tr>
      </thead>
      <tbody>
        ${options.map(
          ({ name, value, where, referred, about }) =>
            html`<tr>
              <th scope="row" title="${about}"><code>${name}</code></th>
              <td class="value">
                ${value === null ? html`<span class="soft">${words.nothing}</span>` : html`<code>${value}</code>`}
              </td>
              <td>
                ${where === null ? html`<span class="soft">${words.byDefault}</span>` : html`<code>${where}</code>`}
                ${referred ? html`<span class="soft">${words.referred}</span>` : ""}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
