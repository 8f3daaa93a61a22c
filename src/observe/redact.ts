/**
 * The second line of defence: secrets are `Secret`s and never get this far, but a platform may quote our own request back at us.
 * Tokens in query strings, robot paths, bearer tokens and passwords in URLs are masked wherever they stand.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /([?&](?:access_token|token|key|sign|secret|signature|password|sig)=)[^&\s"'<>]+/gi,
    "$1<redacted>",
  ],
  [/(\/open-apis\/bot\/v2\/hook\/)[\w-]+/gi, "$1<redacted>"],
  [/(\/services\/)[\w-]+\/[\w-]+\/[\w-]+/gi, "$1<redacted>"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 <redacted>"],
  [/\bxox[a-z]-[\w-]+/g, "<redacted>"],
  // Up to the last @ before the host: some write one in a password as it is.
  [/(\/\/[^/\s:@]*:)[^/?#\s"'<>]+@/g, "$1<redacted>@"],
];

export function redact(text: string): string {
  let result = text;
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}
