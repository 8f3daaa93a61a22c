import { compileRegex, quoteRegex } from "./regex.ts";

/**
 * Globs and regular expressions see at most this many UTF-16 units of a text: an event of 1 MB, which anyone who may create Events can write,
 * must not hold up the others. The kubelet's own messages end at 1 KB.
 */
export const MATCHED_LENGTH = 16_384;

/** Longer than any pattern a person writes, short enough to compile at once. */
const PATTERN_LENGTH = 1000;

export type Matcher = (text: string) => boolean;

/** `/regex/` or `/regex/i`; the last slash ends it, so that slashes inside need no escape. */
const REGEX_FORM = /^\/(.*)\/([a-zA-Z]{0,3})$/s;

/**
 * One pattern in its three forms:
 * - exact text: equals the whole text, case-sensitive;
 * - with `*` (any number of characters, line breaks too) or `?` (one character): the whole text, case-sensitive;
 * - `/regex/` in RE2 syntax: anywhere in the text unless anchored with `^` and `$`; `/regex/i` ignores case.
 * @throws Error naming what is wrong with the pattern
 */
export function compilePattern(pattern: string): Matcher {
  if (pattern === "") throw new Error("an empty pattern matches nothing");
  if (pattern.length > PATTERN_LENGTH)
    throw new Error(
      `it is ${pattern.length} characters long; at most ${PATTERN_LENGTH} are allowed`,
    );
  const [, source, flags] = REGEX_FORM.exec(pattern) ?? [];
  if (source !== undefined && flags !== undefined) {
    if (source === "") throw new Error("an empty regular expression matches everything");
    if (flags !== "" && flags !== "i")
      throw new Error(`the flag "${flags}" is unknown; the only one is i, which ignores case`);
    const regex = compileRegex(source, { ignoreCase: flags === "i" });
    return (text) => regex.find(bounded(text));
  }
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  const regex = compileRegex(globSource(pattern), { dotAll: true });
  return (text) => regex.whole(bounded(text));
}

/** `null`, or what is wrong with the pattern. */
export function patternProblem(pattern: string): string | null {
  try {
    compilePattern(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Matches where any of the patterns does; an empty list matches nothing. */
export function anyOf(patterns: readonly string[]): Matcher {
  const exact = new Set(patterns.filter((pattern) => isExact(pattern)));
  const others = patterns.filter((pattern) => !isExact(pattern)).map(compilePattern);
  return (text) => exact.has(text) || others.some((matches) => matches(text));
}

/** A regular expression at the beginning of a list, without a bare slash within: `/a,b/i`. */
const LISTED = /^\/(?:\\.|[^\\/])*\/[a-zA-Z]{0,3}(?=\s*(?:,|$))/s;
/** One with slashes within, whose commas stand in brackets, as `/a/b{1,2}/`: others part patterns, as in `/var/log,/var/lib/`. */
const LISTED_WITH_SLASHES =
  /^\/(?:\\.|\[(?:\\.|[^\\\]])*\]|\{\d*,\d*\}|\{(?!\d*,)|[^\\,[{])*?\/[a-zA-Z]{0,3}(?=\s*(?:,|$))/s;

/**
 * `a,b*,/c{1,2}/` → three patterns: commas within `/…/` belong to the regular expression; where it has slashes within, those in brackets
 * do. Blanks around patterns are not part of them.
 */
export function splitPatterns(text: string): string[] {
  const patterns: string[] = [];
  let rest = text;
  while (rest.trim() !== "") {
    const trimmed = rest.trimStart();
    const regex = LISTED.exec(trimmed) ?? LISTED_WITH_SLASHES.exec(trimmed);
    const part = regex?.[0] ?? /^[^,]*/.exec(trimmed)?.[0] ?? "";
    if (part.trim() !== "") patterns.push(part.trim());
    const comma = trimmed.indexOf(",", part.length);
    rest = comma === -1 ? "" : trimmed.slice(comma + 1);
  }
  return patterns;
}

function isExact(pattern: string): boolean {
  return pattern !== "" && !REGEX_FORM.test(pattern) && !/[*?]/.test(pattern);
}

function globSource(glob: string): string {
  return glob
    .split(/([*?])/)
    .map((part) => (part === "*" ? ".*" : part === "?" ? "." : quoteRegex(part)))
    .join("");
}

/** What was cut is marked, so that `$` and the end of a glob do not match at the cut. */
function bounded(text: string): string {
  return text.length > MATCHED_LENGTH ? `${text.slice(0, MATCHED_LENGTH)}…` : text;
}
