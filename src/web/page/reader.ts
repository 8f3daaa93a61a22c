import { localTime, timeTeller } from "../../template/times.ts";
import { html, type Html } from "../server.ts";
import { DECISION_WORDS, type DecisionWords } from "./decision-words.ts";
import type { Lang } from "../auth/lang.ts";
import { WORDS, type Words } from "./words.ts";

/** Who looks at a page, as far as it changes how things are written. */
export interface Reader {
  readonly lang: Lang;
  readonly words: Words;
  readonly decisionWords: DecisionWords;
  /** An IANA name. */
  readonly timezone: string;
  readonly now: number;
}

export function readerOf(lang: Lang, timezone: string, now: number): Reader {
  return { lang, words: WORDS[lang], decisionWords: DECISION_WORDS[lang], timezone, now };
}

/** A moment as clocks of the zone show it, absolute where the mouse rests and for programs. */
export function moment(at: number | string, { lang, timezone, now }: Reader): Html {
  const iso = typeof at === "number" ? new Date(at).toISOString() : at;
  return html`<time datetime="${iso}" title="${absolute(iso, timezone)}"
    >${timeTeller(lang, timezone, now).moment(iso)}</time
  >`;
}

/** `2026-11-20 16:05:30`: for what is read on another day. */
export function stamp(at: number, { timezone }: Reader): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${stampText(at, timezone)}</time>`;
}

function stampText(at: number, timezone: string): string {
  const { year, month, day, time } = localTime(at, timezone);
  const date = [year, month, day].map((part) => String(part).padStart(2, "0")).join("-");
  return `${date} ${time}`;
}

/** `2026-11-20 16:05:30 Asia/Shanghai · 2026-11-20T08:05:30.120Z`; what is no time stands as it is. */
function absolute(iso: string, timezone: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : `${stampText(at, timezone)} ${timezone} · ${iso}`;
}

/** `16:05:30.120`, for steps that follow each other within a second. */
export function instant(at: number, reader: Reader): Html {
  const iso = new Date(at).toISOString();
  const { lang, timezone, now } = reader;
  const text = `${timeTeller(lang, timezone, now).moment(iso)}.${iso.slice(20, 23)}`;
  return html`<time datetime="${iso}" title="${absolute(iso, timezone)}">${text}</time>`;
}

/** `1,234`, `12.4k` is for nobody who compares. */
export function count(value: number, { lang }: Reader): string {
  return value.toLocaleString(lang === "zh" ? "zh-CN" : "en-GB");
}
