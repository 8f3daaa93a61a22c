import { Secret } from "./secret.ts";

const REDACTED = "<redacted>";
/** Shorter pieces of a URL are words (`send`, `v2`, `hook`), not keys. */
const SHORTEST = 8;
/** A secret this short protects nothing, and hiding it would hide the words it stands in. */
const TOO_SHORT = 3;

/** Every secret among a sink's options, and the pieces of a webhook URL by which a platform's error page could give it away. Longest first. */
export function secretsOf(options: unknown): readonly string[] {
  const found = new Set<string>();
  collect(options, found);
  return [...found].toSorted((a, b) => b.length - a.length);
}

/** What a platform answered, fit for a log: without secrets, in one line. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, REDACTED);
  // A terminal must not obey what a stranger's server says.
  return clean.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}

function collect(value: unknown, found: Set<string>): void {
  if (value instanceof Secret) addForms(value.reveal(), found);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) collect(item, found);
  }
}

function addForms(secret: string, found: Set<string>): void {
  if (secret.length <= TOO_SHORT) return;
  found.add(secret);
  for (const form of echoes(secret)) found.add(form);
  // `Authorization: Bearer KEY`
  for (const word of secret.split(/\s+/)) if (word.length >= SHORTEST) found.add(word);
  // An `id:key` reads as a URL, too.
  addBase64(secret, found);
  const url = URL.parse(secret);
  if (url === null) return;
  for (const part of [url.username, url.password]) addBase64(decodeURIComponentSafely(part), found);
  const pieces = [
    url.pathname + url.search,
    ...url.pathname.split("/"),
    ...url.searchParams.values(),
    url.search.slice(1),
    url.username,
    url.password,
  ];
  for (const piece of pieces) {
    if (piece.length < SHORTEST) continue;
    for (const form of echoes(piece)) found.add(form);
    found.add(decodeURIComponentSafely(piece));
  }
}

/** As it looks when it is echoed inside JSON by one language or another, back in a query, or on a page. */
function echoes(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const query = encodeURIComponent(secret.toWellFormed());
  return [
    json,
    // PHP, Go and Python.
    json.replaceAll("/", "\\/"),
    json.replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape),
    json.replaceAll(/[^\x20-\x7e]/g, unicodeEscape),
    query,
    query.replaceAll(/%../g, (byte) => byte.toLowerCase()),
    query.replaceAll("%20", "+"),
    ...['"', "&#34;", "&quot;"].map((quote) => htmlOf(secret, quote)),
  ];
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Without and with quotation marks escaped, as attributes want them. */
function htmlOf(text: string, quote: string): string {
  const marked = text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', quote);
  return quote === '"' ? marked : marked.replaceAll("'", "&#39;");
}

/**
 * As `Authorization: Basic` has it: in base64, behind a user's name of any length. A character that it shares with what stands beside it
 * tells at most four bits of it.
 */
function addBase64(secret: string, found: Set<string>): void {
  const bytes = Buffer.from(secret);
  for (const [before, shared] of [0, 2, 3].entries()) {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    const whole = Math.floor((all.length * 8) / 6);
    const form = all.toString("base64").slice(shared, whole);
    if (form.length >= SHORTEST) found.add(form);
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
