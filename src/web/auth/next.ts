/** Any base will do: only what stays on it is a place of ours. */
const HERE = "http://here.invalid";

/** A place of our own to go on to after the login, with its query; anything that leads elsewhere, or back to the login, is `/`. */
export function safeNext(wanted: string | undefined): string {
  // Browsers take a backslash for a slash and leave tabs and line breaks out: `/\evil.example` and `/\t/evil.example` lead away.
  if (wanted === undefined || wanted.length > 2_000 || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(wanted))
    return "/";
  // `//evil.example` would be another host's.
  if (!URL.canParse(wanted, HERE)) return "/";
  const { origin, pathname, search } = new URL(wanted, HERE);
  if (origin !== HERE || pathname.startsWith("//")) return "/";
  return /^\/(login|logout)(\/|$)/.test(pathname) ? "/" : `${pathname}${search}`;
}
