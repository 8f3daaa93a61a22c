import { html, type Context, type Hono, type Html, type NodeEnv } from "../web/server.ts";
import { drawChat, type ChatView } from "./chat.ts";
import { LIVE_SCRIPT } from "./live.ts";
import { forPrograms, PLATFORMS } from "./message.ts";
import type { Simulator } from "./simulator.ts";
import { STYLE } from "./style.ts";
import { chooseLang } from "../web/auth/lang.ts";
import { WORDS, type Lang, type Words } from "./words.ts";

export interface PageOptions {
  /** Changes whenever the page would. */
  version(): string;
  readonly timeZone: string;
}

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The page, its style and script, and one message's request. */
export function mountPage(app: Hono<NodeEnv>, simulator: Simulator, options: PageOptions): void {
  app.get("/", (c) => {
    setHeaders(c);
    return c.html(drawPage(c, simulator, options));
  });
  app.get("/version", (c) => {
    setHeaders(c);
    return c.text(options.version());
  });
  app.get("/messages/:id", (c) => {
    const id = Number(c.req.param("id"));
    const found = simulator.messages().find((message) => message.id === id);
    if (found === undefined)
      return c.json({ error: `no message ${c.req.param("id")} is kept` }, 404);
    setHeaders(c);
    return c.text(JSON.stringify(forPrograms(found), undefined, 2), 200, {
      "content-type": "application/json; charset=utf-8",
    });
  });
  app.get("/style.css", (c) => asset(c, STYLE, "text/css"));
  app.get("/live.js", (c) => asset(c, LIVE_SCRIPT, "text/javascript"));
}

function asset(c: Context<NodeEnv>, text: string, type: string): Response {
  setHeaders(c);
  return c.body(text, 200, { "content-type": `${type}; charset=utf-8` });
}

function setHeaders(c: Context<NodeEnv>): void {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
}

function drawPage(c: Context<NodeEnv>, simulator: Simulator, options: PageOptions): Html {
  const lang = chooseLang(c.req.query("lang"), c.req.header("accept-language"));
  const words = WORDS[lang];
  const only = c.req.query("robot");
  const chats = chatsOf(simulator);
  const drawn = only === undefined ? chats : chats.filter((chat) => chat.robot === only);
  const time = timeIn(options.timeZone);
  return html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${words.title} · kube-crier</title>
        <link rel="stylesheet" href="/style.css" />
        <noscript><meta http-equiv="refresh" content="5" /></noscript>
        <script src="/live.js" defer></script>
      </head>
      <body data-lost="${words.lost}" data-live="${words.live}">
        <header class="top">
          <h1>kube-crier <span>${words.title}</span></h1>
          <p class="tagline">${words.tagline}</p>
          <span class="state" role="status" hidden></span>
          <a class="lang" href="${pageUrl({ lang: other(lang), robot: only })}"
            >${words.otherLanguage}</a
          >
        </header>
        <main data-version="${options.version()}">
          ${chats.length > 1 ? drawTabs(chats, only, c.req.query("lang"), words) : ""}
          ${drawn.length === 0 ? drawEmpty(c, words) : ""}
          <div class="chats">${drawn.map((chat) => drawChat(chat, words, time))}</div>
        </main>
      </body>
    </html>`;
}

/** One chat per robot that exists, and one for requests that meant none. */
function chatsOf(simulator: Simulator): ChatView[] {
  const messages = Map.groupBy(simulator.messages(), (message) => message.robot);
  const known = simulator
    .state()
    .robots.map((robot): ChatView => ({ ...robot, messages: messages.get(robot.robot) ?? [] }));
  const strays = [...messages].flatMap(([robot, strays]): ChatView[] => {
    const [first] = strays;
    if (first === undefined || known.some((chat) => chat.robot === robot)) return [];
    const counts = { shown: 0, duplicate: 0, refused: strays.length, failed: 0 };
    return [{ robot, platform: first.platform, name: "?", counts, messages: strays }];
  });
  return [...known, ...strays].sort(
    (a, b) => PLATFORMS.indexOf(a.platform) - PLATFORMS.indexOf(b.platform),
  );
}

function drawTabs(
  chats: readonly ChatView[],
  only: string | undefined,
  lang: string | undefined,
  words: Words,
): Html {
  const tab = (label: string, robot: string | undefined) =>
    html`<a href="${pageUrl({ lang, robot })}" ${robot === only ? html`aria-current="page"` : ""}
      >${label}</a
    >`;
  return html`<nav class="tabs">
    ${tab(words.all, undefined)}
    ${chats.map((chat) => tab(`${words.platforms[chat.platform]} · ${chat.name}`, chat.robot))}
  </nav>`;
}

function drawEmpty(c: Context<NodeEnv>, words: Words): Html {
  const origin = new URL(c.req.url).origin;
  const addresses = [
    `${origin}/robot/send?access_token=TOKEN`,
    `${origin}/open-apis/bot/v2/hook/TOKEN`,
    `${origin}/cgi-bin/webhook/send?key=TOKEN`,
    `${origin}/services/T0/B0/TOKEN`,
    `${origin}/api/chat.postMessage`,
    `${origin}/hook/TOKEN`,
  ];
  return html`<section class="empty">
    <h2>${words.emptyTitle}</h2>
    <p>${words.emptyText}</p>
    <ul>
      ${addresses.map((address) => html`<li><code>${address}</code></li>`)}
    </ul>
  </section>`;
}

function pageUrl(query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) search.set(name, value);
  return search.size === 0 ? "/" : `/?${search.toString()}`;
}

function other(lang: Lang): Lang {
  return lang === "en" ? "zh" : "en";
}

function timeIn(timeZone: string): (iso: string) => string {
  const format = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone });
  return (iso) => format.format(new Date(iso));
}
