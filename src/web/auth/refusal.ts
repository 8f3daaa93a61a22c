import { html, type Context, type Html } from "../server.ts";
import { type Lang, langOf } from "./lang.ts";
import { WORDS } from "./words.ts";

export type RefusalStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 406
  | 409
  | 413
  | 415
  | 421
  | 429
  | 500
  | 503;

/** A request that is answered with a problem: thrown by whoever finds it, written down in one place. */
export class Refusal extends Error {
  readonly status: RefusalStatus;
  readonly headers: Readonly<Record<string, string>>;
  /** What programs are told besides. */
  readonly details: Readonly<Record<string, unknown>>;

  /** @param message for the reader: what was found, what was expected, the next step; never a token */
  constructor(
    status: RefusalStatus,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.headers = headers;
    this.details = details;
  }
}

/** JSON for programs, a page for people. */
export function wantsJson(c: Context): boolean {
  return c.req.path.startsWith("/api/") || !(c.req.header("accept") ?? "").includes("text/html");
}

export function answerRefusal(c: Context, refusal: Refusal): Response | Promise<Response> {
  const { status, message, headers, details } = refusal;
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  if (wantsJson(c)) return c.json({ error: message, status, ...details }, status);
  const lang = langOf(c);
  const words = WORDS[lang];
  return c.html(
    framed(
      lang,
      `${status} · kube-crier`,
      html`<main>
        <h1>${words.problems[status]}</h1>
        <p>${message}</p>
        <p><a href="/">${words.back}</a></p>
      </main>`,
    ),
    status,
  );
}

/** A page of this room: no script, one stylesheet of ours. */
export function framed(lang: Lang, title: string, body: Html, head: Html | string = ""): Html {
  return html`<!doctype html>
    <html lang="${lang === "zh" ? "zh-CN" : "en"}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="stylesheet" href="/login/style.css" />
        <link rel="icon" href="data:," />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}
