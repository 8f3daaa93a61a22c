import type { HttpAnswer } from "./define.ts";
import { accepted, permanent, retryable, throttled, type Verdict } from "./verdict.ts";

/**
 * What an HTTP status means where the platform's body says nothing else: 2xx accepted; 429 throttled; 408, 425 and 5xx (but 501 and 505) retryable;
 * 401, 403 and 407 permanent (auth); 413 permanent (tooLarge); everything else, redirects included, permanent (rejected).
 */
export function statusVerdict(answer: HttpAnswer): Verdict {
  const { status } = answer;
  const detail = `HTTP ${status}${answer.text === "" ? "" : `: ${answer.text.slice(0, 200)}`}`;
  if (status >= 200 && status < 300) return accepted;
  if (status === 429) return throttled(null, detail);
  if (status === 408 || status === 425) return retryable("timeout", detail);
  if (status === 501 || status === 505) return permanent("rejected", detail);
  if (status >= 500) return retryable("server", detail);
  if (status === 401 || status === 403 || status === 407) return permanent("auth", detail);
  if (status === 413) return permanent("tooLarge", detail);
  return permanent("rejected", detail);
}

/** `Retry-After` in seconds or as an HTTP date → milliseconds from `now`; `null` when absent or unreadable. */
export function retryAfterMs(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const at = instantOf(text);
  return at === null ? null : Math.max(0, at - now);
}

/** `Fri Nov  6 08:05:41 2026`: C's asctime, which HTTP has always in UTC (RFC 9110, 5.6.7). */
const ASCTIME = /^[a-z]{3} [a-z]{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/i;
/** Without a time and a zone `Date.parse` guesses: "minute 1" is a day in 2001 to it, and a time without a zone is ours. */
const ZONED = /\d:\d\d.*?(GMT|UTC|Z|[+-]\d\d:?\d\d)$/i;

function instantOf(text: string): number | null {
  const whole = ASCTIME.test(text) ? `${text} GMT` : text;
  const at = ZONED.test(whole) ? Date.parse(whole) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
