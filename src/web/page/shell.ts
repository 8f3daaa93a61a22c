import { html, type Html } from "../server.ts";
import type { Reader } from "./reader.ts";

export type Tab = "events" | "sinks" | "templates" | "configuration";

const TABS: readonly (readonly [Tab, path: string])[] = [
  ["events", "/"],
  ["sinks", "/sinks"],
  ["templates", "/templates"],
  ["configuration", "/configuration"],
];

export interface Shell {
  readonly reader: Reader;
  readonly tab: Tab | null;
  readonly title: string;
  readonly cluster: string;
  /** Who has signed in, and may sign out: their name, and the token of their session's forms; `null`: there is no session. */
  readonly caller: { readonly name: string; readonly csrf: string } | null;
  /** What does not work now, a line each, with since when and what still does. */
  readonly troubles: readonly string[];
  /** The address of this very page in the other language. */
  readonly otherLanguage: string;
  /** Messages stand in it as chats show them. */
  readonly chat: boolean;
  readonly body: Html;
}

/** One document: head, navigation, what is wrong, and what it is about. */
export function drawShell({
  reader: { words },
  tab,
  title,
  cluster,
  caller,
  troubles,
  otherLanguage,
  chat,
  body,
}: Shell): Html {
  return html`<!doctype html>
    <html lang="${words.htmlLang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title} · kube-crier</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/page.css" />
        ${chat ? html`<link rel="stylesheet" href="/assets/chat.css" />` : ""}
        <script src="/assets/page.js" type="module"></script>
      </head>
      <body>
        <a class="skip" href="#main">${words.skip}</a>
        <header class="top">
          <a class="brand" href="/">kube-crier</a>
          <nav>
            ${TABS.map(
              ([name, path]) =>
                html`<a href="${path}" ${name === tab ? html`aria-current="page"` : ""}
                  >${words.nav[name]}</a
                >`,
            )}
          </nav>
          <span class="cluster">${cluster}</span>
          <a class="lang" href="${otherLanguage}">${words.otherLanguage}</a>
          ${
            caller === null
              ? ""
              : html`<form method="post" action="/logout">
                  <input type="hidden" name="_csrf" value="${caller.csrf}" />
                  <button class="plain" title="${caller.name}">${words.logOut}</button>
                </form>`
          }
        </header>
        ${
          troubles.length === 0
            ? ""
            : html`<ul class="troubles" role="alert">
                ${troubles.map((trouble) => html`<li>${trouble}</li>`)}
              </ul>`
        }
        <main id="main">${body}</main>
        <dialog id="keys" aria-label="${words.help}">
          <h2>${words.help}</h2>
          <dl>
            ${words.keys.map(
              ([key, what]) =>
                html`<dt>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt>
                  <dd>${what}</dd>`,
            )}
          </dl>
        </dialog>
      </body>
    </html>`;
}
