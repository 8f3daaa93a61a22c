import { characterLength, head, shortenMiddle, tailOf } from "../sink/text.ts";
import { breakMentions, withoutRevived } from "./escape.ts";

const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029\v\f]/g;
/** Colours and cursor movements of a terminal (ECMA-48 CSI and OSC sequences). */
const ESC = "\u001b";
const BEL = "\u0007";
const TERMINAL = new RegExp(
  String.raw`${ESC}(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^${BEL}${ESC}]{0,256}(?:${BEL}|${ESC}\\))`,
  "g",
);
const CONTROL = /(?![\t\n])\p{Cc}/gu;
/**
 * What takes no room and yet changes what is read: direction marks, zero-width characters, soft hyphens, tags.
 * The group is what stays: the joiners and variation selectors of emoji.
 */
const INVISIBLE =
  /((?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d(?=\p{Extended_Pictographic})|(?<=\p{Emoji})[\ufe0e\ufe0f])|[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;
/** Nothing of the kind, and nothing that calls anybody: most texts by far. */
const PLAIN = /^[ -;=-?A-~]*$/;
const DIGEST_MIN = 32;
const DIGEST = /(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])/gi;

/**
 * Text of the cluster as it may be looked at: line ends are `\n`; what would steer a terminal or hide in the text is removed or shown (␀ ␈);
 * halves of characters become �; long digests lose their middle; nothing in it calls anybody. Everything a person could see stays.
 */
export function clean(text: string): string {
  if (PLAIN.test(text)) return withShortDigests(text).trimEnd();
  const visible = withShortDigests(
    text
      .toWellFormed()
      .replace(TERMINAL, "")
      .replace(LINE_ENDS, "\n")
      .replace(CONTROL, (character) => picture(character.charCodeAt(0)))
      .replace(INVISIBLE, "$1"),
  )
    .replace(/^\n+/, "")
    .trimEnd();
  return breakMentions(visible);
}

function withShortDigests(text: string): string {
  if (text.length < DIGEST_MIN) return text;
  return text.replace(DIGEST, (digest) => `${digest.slice(0, 8)}…${digest.slice(-6)}`);
}

/** The same for a name or a reason, which must stay on one line. */
export function cleanLine(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

/** At most `max` characters of a clean line, its middle taken out. */
export function shortLine(text: string, max: number): string {
  return withoutRevived(shortenMiddle(text, max));
}

/** C0 controls have pictures of their own in Unicode; C1 controls have none and are dropped. */
function picture(code: number): string {
  if (code === 0x7f) return "␡";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : "";
}

/**
 * Takes the middle out of a text of more than `limit` characters: it begins with what happened and ends with the cause.
 * @param note says how many of how many characters are left
 */
export function cutMiddle(
  text: string,
  limit: number,
  note: (kept: number, total: number) => string,
): string {
  const total = characterLength(text);
  if (total <= limit) return text;
  const end = Math.floor(Math.max(0, limit) * 0.4);
  const first = withoutRevived(head(text, Math.max(0, limit) - end));
  const last = tailOf(text, end);
  const kept = characterLength(first) + characterLength(last);
  return `${first}${note(kept, total)}${last}`;
}
