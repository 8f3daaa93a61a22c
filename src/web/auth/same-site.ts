/**
 * Whether a request may come from one of our own pages, or from no browser at all: `Sec-Fetch-Site` where the browser sends it, else
 * `Origin`. A request without either comes from a program, which carries nobody else's cookie.
 */
export function isFromHere(header: (name: string) => string | undefined, host: string): boolean {
  const site = header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || site === "none";
  const origin = header("origin");
  if (origin === undefined) return true;
  // Behind a proxy that nobody pinned we cannot know the scheme; another page on this host and port would be ours.
  return URL.canParse(origin) && new URL(origin).host === host;
}
