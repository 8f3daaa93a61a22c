import type { Medium } from "../sink/define.ts";
import { cut } from "../sink/text.ts";
import { anchor, code, escape, LINE_END, quote, withoutRevived } from "./escape.ts";
import { markdownTable } from "./markdown-table.ts";
import { dateText, localTime, timeTeller } from "./times.ts";
import type { View } from "./view.ts";

/** Where and for whom a template is rendered: what helpers need besides their arguments. */
export interface Place {
  readonly medium: Medium;
  readonly lang: View["lang"];
  readonly timezone: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Text that is right for its medium already and is not escaped again. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export interface Helper {
  readonly min: number;
  readonly max: number;
  /** What the result may be used as. */
  readonly gives: "text" | "boolean" | "list";
  readonly usage: string;
  readonly about: string;
  /** Argument number (from 0) → the literals it may be; anything goes where nothing is said. */
  readonly literals?: Readonly<Record<number, readonly string[]>>;
  run(args: readonly unknown[], place: Place): unknown;
}

export const MEDIA: readonly Medium[] = [
  "text",
  "markdown",
  "slack",
  "lark",
  "wecom",
  "json",
  "html",
];
const DATE_FORMATS = ["moment", "time", "date", "full", "unix"];

/** A value as text: null is nothing, a list is joined with commas, anything else that is no text is JSON. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return JSON.stringify(value);
}

function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function dateOf(value: unknown, format: string, place: Place): string {
  const source = textOf(value);
  const at = Date.parse(source);
  if (Number.isNaN(at)) return source;
  const local = localTime(at, place.timezone);
  const two = (part: number) => String(part).padStart(2, "0");
  switch (format) {
    case "time":
      return local.time;
    case "date":
      return dateText(local, localTime(place.now, place.timezone), place.lang);
    case "full":
      return `${local.year}-${two(local.month)}-${two(local.day)} ${local.time}`;
    case "unix":
      return String(Math.floor(at / 1000));
    default:
      return timeTeller(place.lang, place.timezone, place.now).moment(source);
  }
}

/** Everything a template may call besides `if`, `unless`, `each` and `with`. All are pure. */
export const HELPERS: Readonly<Record<string, Helper>> = {
  quote: {
    min: 1,
    max: 1,
    gives: "text",
    usage: "{{quote message}}",
    about: "the text as a quotation of this medium, each line marked",
    run: ([value], { medium }) => new Raw(quote(medium, textOf(value))),
  },
  code: {
    min: 1,
    max: 1,
    gives: "text",
    usage: "{{code command}}",
    about: "the text as code, where this medium has code",
    run: ([value], { medium }) => new Raw(code(medium, textOf(value))),
  },
  json: {
    min: 1,
    max: 1,
    gives: "text",
    usage: "{{json event}}",
    about:
      'the value as JSON; in a JSON body it stands without quotes of your own: `"event": {{json event}}`',
    run: ([value], { medium }) => {
      const text = JSON.stringify(value instanceof Raw ? value.text : (value ?? null));
      return medium === "json" ? new Raw(text) : text;
    },
  },
  anchor: {
    min: 1,
    max: 2,
    gives: "text",
    usage: "{{anchor link linkText}}",
    about: "a link that says the second text, where this medium has links; else both",
    run: ([url, text], { medium }) => new Raw(anchor(medium, textOf(url), textOf(text))),
  },
  escape: {
    min: 2,
    max: 2,
    gives: "text",
    usage: '{{escape "lark" message}}',
    about: `the text made inert for another medium (${MEDIA.join(", ")}), for a JSON body that goes to a chat`,
    literals: { 0: MEDIA },
    run: ([medium, value]) => escape(medium as Medium, textOf(value)),
  },
  date: {
    min: 1,
    max: 2,
    gives: "text",
    usage: '{{date event.firstSeen "full"}}',
    about:
      "a time in the reader's time zone: `moment` (the default: the date only when it is not today), `time`, `date`, `full` (2026-11-20 16:05:30) or `unix` (seconds)",
    literals: { 1: DATE_FORMATS },
    run: ([value, format], place) => dateOf(value, textOf(format), place),
  },
  truncate: {
    min: 2,
    max: 2,
    gives: "text",
    usage: "{{truncate message 200}}",
    about: "at most so many characters, … where cut",
    run: ([value, max]) => {
      const room = Math.max(0, Math.floor(Number(max)) || 0);
      const text = textOf(value);
      const kept = cut(text, { max: room, unit: "characters" });
      return kept === text ? text : withoutRevived(kept);
    },
  },
  upper: {
    min: 1,
    max: 1,
    gives: "text",
    usage: "{{upper severity}}",
    about: "in capital letters",
    run: ([value]) => textOf(value).toUpperCase(),
  },
  lower: {
    min: 1,
    max: 1,
    gives: "text",
    usage: "{{lower kind}}",
    about: "in small letters",
    run: ([value]) => textOf(value).toLowerCase(),
  },
  default: {
    min: 2,
    max: 2,
    gives: "text",
    usage: '{{default namespace "cluster-wide"}}',
    about: "the second value where the first is null or empty",
    run: ([value, fallback]) => (textOf(value) === "" ? fallback : value),
  },
  plural: {
    min: 2,
    max: 3,
    gives: "text",
    usage: '{{plural count "time" "times"}}',
    about: "`1 time`, `3 times`; without the third word an s is added",
    run: ([count, one, many]) => {
      const word = Number(count) === 1 ? textOf(one) : textOf(many ?? `${textOf(one)}s`);
      return `${textOf(count)} ${word}`;
    },
  },
  join: {
    min: 1,
    max: 2,
    gives: "text",
    usage: '{{join labels " · "}}',
    about: "the items of a list in one text",
    run: ([value, separator]) =>
      Array.isArray(value) ? value.map(textOf).join(textOf(separator ?? ", ")) : textOf(value),
  },
  lines: {
    min: 1,
    max: 1,
    gives: "list",
    usage: "{{#each (lines message)}}- {{this}}\n{{/each}}",
    about: "the lines of a text, as a list",
    run: ([value]) => (textOf(value) === "" ? [] : textOf(value).split(LINE_END)),
  },
  eq: {
    min: 2,
    max: 2,
    gives: "boolean",
    usage: '{{#if (eq severity "critical")}}',
    about: "whether both are the same text or number",
    run: ([a, b]) => textOf(a) === textOf(b),
  },
  and: {
    min: 2,
    max: 8,
    gives: "boolean",
    usage: "{{#if (and cluster namespace)}}",
    about: "whether all say something",
    run: (args) => args.every(isTrue),
  },
  or: {
    min: 2,
    max: 8,
    gives: "boolean",
    usage: "{{#if (or component host)}}",
    about: "whether one says something",
    run: (args) => args.some(isTrue),
  },
  not: {
    min: 1,
    max: 1,
    gives: "boolean",
    usage: '{{#if (not (eq type "Normal"))}}',
    about: "whether it says nothing",
    run: ([value]) => !isTrue(value),
  },
};

/** The table of docs/templates.md. */
export function helpersMarkdown(): string {
  const rows = Object.values(HELPERS).map(({ usage, about }) => [
    `\`${usage.replace(/\n.*/s, " …")}\``,
    about,
  ]);
  return markdownTable([["helper", "what it gives"], ...rows]);
}
