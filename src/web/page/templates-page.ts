import type { ConfigIssue } from "../../config/config.ts";
import { html, type Html } from "../server.ts";
import type { Reader } from "./reader.ts";

/** What a template makes of an alert in one language, drawn. */
export interface Look {
  readonly lang: "en" | "zh";
  /** As the chat shows it; `null`: it is no chat, or cannot be shown. */
  readonly drawn: Html | null;
  readonly text: string;
  readonly problem: string | null;
}

export interface TemplatesView {
  readonly sinks: readonly { readonly name: string; readonly type: string }[];
  readonly sink: string;
  /** The text in the editor. */
  readonly text: string;
  /** An event of the history to show it with; empty: an example. */
  readonly event: string;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
  readonly looks: readonly Look[];
  readonly csrf: string | null;
  readonly reader: Reader;
}

/** An editor on one side, the chat in both languages on the other. Without a script a button shows what the template makes. */
export function drawTemplates(view: TemplatesView): Html {
  const { sinks, sink, text, event, csrf, reader } = view;
  const { words } = reader;
  return html`<h1>${words.nav.templates}</h1>
    <form method="post" class="editor" id="editor" data-preview="/templates/preview">
      ${csrf === null ? "" : html`<input type="hidden" name="_csrf" value="${csrf}" />`}
      <input type="hidden" name="of" value="${sink}" />
      <p class="bar">
        <label
          >${words.fields.sink}
          <select name="sink">
            ${sinks.map(
              ({ name, type }) =>
                html`<option value="${name}" ${name === sink ? html`selected` : ""}>
                  ${name} (${type})
                </option>`,
            )}
          </select></label
        >
        <label
          >${words.event}
          <input name="event" value="${event}" size="30" placeholder="${words.example}"
        /></label>
        <button formaction="/templates">${words.apply}</button>
        <button formaction="/templates/configmap">${words.asConfigMap}</button>
      </p>
      <div class="columns">
        <label class="text"
          ><span class="soft">${words.templateText}</span>
          <textarea
            name="text"
            id="text"
            rows="26"
            spellcheck="false"
            aria-describedby="lint"
            ${view.issues.length === 0 ? "" : html`aria-invalid="true"`}
          >
${text}</textarea>
        </label>
        <div id="preview" aria-live="polite">${drawPreview(view)}</div>
      </div>
    </form>`;
}

/** What the editor's text gives, by itself: a script puts it into the page while somebody types. */
export function drawPreview({
  issues,
  warnings,
  looks,
  text: written,
  reader: { words },
}: TemplatesView): Html {
  return html`<ul class="lint" id="lint">
      ${issues.map((issue) => drawIssue(issue, written))}
      ${warnings.map((warning) => html`<li class="soft">${warning}</li>`)}
    </ul>
    ${looks.map(
      ({ lang, drawn, text, problem }) =>
        html`<section class="look" lang="${lang === "zh" ? "zh-CN" : "en"}">
          <h2>${lang === "zh" ? "中文" : "English"}</h2>
          ${problem === null ? "" : html`<p class="failed">${problem}</p>`}
          ${drawn === null ? "" : html`<div class="chat">${drawn}</div>`}
          ${
            text === ""
              ? ""
              : html`<details ${drawn === null ? html`open` : ""}>
                  <summary>${words.request}</summary>
                  <pre>${text}</pre>
                </details>`
          }
        </section>`,
    )}`;
}

const EXCERPT = 120;

/** What is wrong, with the line it stands in; a script selects that line. */
function drawIssue({ where, message, hint }: ConfigIssue, text: string): Html {
  const line = Number(/:(\d+):\d+$/.exec(where)?.[1] ?? 0);
  const found = text.split("\n")[line - 1]?.trim() ?? "";
  const rest = html`${message}${hint === null ? "" : html` <span class="soft">${hint}</span>`}`;
  if (found === "") return html`<li class="failed"><code>${where}</code> ${rest}</li>`;
  return html`<li class="failed">
    <a href="#text" data-line="${line}"><code>${where}</code></a> ${rest}
    <pre class="excerpt">${found.slice(0, EXCERPT)}${found.length > EXCERPT ? "…" : ""}</pre>
  </li>`;
}
