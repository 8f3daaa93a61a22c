import { html, type Html } from "../web/server.ts";
import { drawParts } from "./markup.ts";
import type { Platform, ReceivedMessage } from "./message.ts";
import type { Words } from "./words.ts";

export interface ChatView {
  readonly robot: string;
  readonly platform: Platform;
  readonly name: string;
  readonly counts: Readonly<Record<ReceivedMessage["state"], number>>;
  /** Oldest first. */
  readonly messages: readonly ReceivedMessage[];
}

const DRAWN = 60;
const AVATARS: Readonly<Record<Platform, string>> = {
  dingtalk: "钉",
  lark: "飞",
  wecom: "企",
  slack: "#",
  hook: "{}",
};

/** One chat as its window shows it. Newest first in the document; the style sheet turns it round, so that it opens at its end. */
export function drawChat(chat: ChatView, words: Words, time: (iso: string) => string): Html {
  const rows = groupRows(chat.messages).reverse();
  const older = rows.length - DRAWN;
  const refused = chat.counts.refused + chat.counts.failed;
  return html`<section class="chat ${chat.platform}" data-chat="${chat.robot}">
    <header>
      <span class="avatar" aria-hidden="true">${AVATARS[chat.platform]}</span>
      <h2>${chat.name}</h2>
      <span class="platform">${words.platforms[chat.platform]}</span>
      <span class="tally">${words.tally(chat.counts.shown, refused)}</span>
    </header>
    <div class="scroll" tabindex="0" role="log" aria-label="${chat.name}">
      ${rows.slice(0, DRAWN).map((row) => drawRow(row, chat, words, time))}
      ${older > 0 ? html`<p class="strip">${words.older(older)}</p>` : ""}
      ${rows.length === 0 ? html`<p class="strip">${words.emptyChat}</p>` : ""}
    </div>
  </section>`;
}

interface Row {
  readonly message: ReceivedMessage;
  /** Refusals and duplicates of one kind in a row are one line. */
  readonly times: number;
}

function groupRows(messages: readonly ReceivedMessage[]): Row[] {
  const rows: Row[] = [];
  for (const message of messages) {
    const last = rows.at(-1);
    const alike =
      last !== undefined &&
      message.state !== "shown" &&
      last.message.state === message.state &&
      last.message.refusal?.code === message.refusal?.code &&
      last.message.refusal?.message === message.refusal?.message;
    if (alike) rows[rows.length - 1] = { message, times: last.times + 1 };
    else rows.push({ message, times: 1 });
  }
  return rows;
}

function drawRow(row: Row, chat: ChatView, words: Words, time: (iso: string) => string): Html {
  const { message, times } = row;
  if (message.state !== "shown") return drawStrip(message, times, words, time);
  return html`<article class="message">
    <span class="avatar" aria-hidden="true">${AVATARS[chat.platform]}</span>
    <div class="column">
      <p class="meta">
        <span class="sender">${chat.name}</span>
        <span class="badge">${words.robot}</span>
        <time datetime="${message.at}" title="${message.at}">${time(message.at)}</time>
        <a class="raw" href="/messages/${message.id}" title="${words.raw}">{&hairsp;}</a>
      </p>
      ${drawBubble(message)} ${drawMentions(message, words)}
    </div>
  </article>`;
}

/** What a message looks like, without who sent it and when. */
export function drawBubble(message: ReceivedMessage): Html {
  const { accent, title, platform } = message;
  const fill = accent === null ? "" : drawFill(accent);
  const card = platform === "lark" && message.type === "interactive";
  const head =
    card && title !== null
      ? html`<div class="cardhead">
          ${fill}
          <p>${title}</p>
        </div>`
      : "";
  const bar = !card && accent !== null ? html`<div class="bar">${fill}</div>` : "";
  return html`<div class="bubble ${card ? "card" : ""} ${bar === "" ? "" : "barred"}">
    ${head}${bar}
    <div class="body">${drawParts(message.parts)}</div>
  </div>`;
}

/** A colour the sender chose: as an SVG's attribute, because the page's policy forbids inline styles. */
function drawFill(colour: string): Html {
  return html`<svg class="fill" aria-hidden="true">
    <rect width="100%" height="100%" fill="${colour}" />
  </svg>`;
}

function drawMentions(message: ReceivedMessage, words: Words): Html | "" {
  if (message.mentionsEveryone) return html`<p class="notifies all">${words.everyone}</p>`;
  if (message.mentions.length === 0) return "";
  return html`<p class="notifies">
    ${words.notifies(message.mentions.map((who) => `@${who}`).join(" "))}
  </p>`;
}

function drawStrip(
  message: ReceivedMessage,
  times: number,
  words: Words,
  time: (iso: string) => string,
): Html {
  const many = times > 1 ? html`<b>${times} ×</b> ` : "";
  const when = html`<time datetime="${message.at}">${time(message.at)}</time>`;
  const { refusal } = message;
  if (refusal === null) return html`<p class="strip">${when} ${many}${words.duplicate}</p>`;
  if (message.state === "failed") {
    const told = words.failed[refusal.code] ?? `${refusal.code} · ${words.failed["status"] ?? ""}`;
    return html`<p class="strip failed">${when} ${many}${told}</p>`;
  }
  const until =
    refusal.until === null ? "" : html` · ${untilWords(message, refusal.until, words, time)}`;
  return html`<p class="strip refused">
    ${when} ${many}<code>${refusal.code}</code> ${refusal.message}${until}
  </p>`;
}

/** DingTalk shuts a robot out; the others only want it to wait. */
function untilWords(
  message: ReceivedMessage,
  until: string,
  words: Words,
  time: (iso: string) => string,
): string {
  return message.platform === "dingtalk" ? words.muted(time(until)) : words.until(time(until));
}
