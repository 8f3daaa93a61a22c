import { RE2JS } from "re2js";

/** A compiled regular expression in RE2 syntax: time is linear in the text, whatever the pattern. */
export interface Regex {
  /** Anywhere in the text. */
  find(text: string): boolean;
  /** The whole text, line breaks included. */
  whole(text: string): boolean;
}

export interface RegexFlags {
  readonly ignoreCase?: boolean;
  /** `.` matches line breaks too. */
  readonly dotAll?: boolean;
}

/** @throws Error with what is wrong, in words: lookaround and backreferences are not part of RE2. */
export function compileRegex(source: string, flags: RegexFlags = {}): Regex {
  let bits = 0;
  if (flags.ignoreCase === true) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.dotAll === true) bits |= RE2JS.DOTALL;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, bits);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Error(detail.replace(/^error parsing regexp: /, ""), { cause: error });
  }
  return { find: (text) => compiled.test(text), whole: (text) => compiled.testExact(text) };
}

/** The text as a regular expression that matches exactly this text. */
export function quoteRegex(text: string): string {
  return RE2JS.quote(text);
}
