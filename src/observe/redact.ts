/**
 * The second line of defence: secrets are `Secret`s and never get this far, but a platform may quote our own request back at us.
 * Tokens in query strings, robot paths, members of JSON, bearer tokens and passwords in URLs are masked wherever they stand, also where
 * somebody has escaped them for a query, JSON or HTML.
 */
const NAMES = "(?:token|key|sign|secret|signature|passw(?:or)?d|sig)";
const SLASH = String.raw`(?:\\?\/|%2F)`;
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(
      String.raw`((?:[?&]|%3F|%26|&amp;|&#38;|\\u0026|\\u003f)[\w.-]*${NAMES}(?:=|%3D|\\u003d))(?:[^&\s"'<>\\]|\\[/\\])+`,
      "gi",
    ),
    "$1<redacted>",
  ],
  // `key` alone names a taint or a ConfigMap's entry here as often as a password. JSON, and JSON that is a text of another.
  [member('"', String.raw`[^"\\]|\\.`), "$1<redacted>"],
  [member(String.raw`\\"`, String.raw`[^"\\]|\\\\(?:\\[/"]|\\\\|[^"\\])`), "$1<redacted>"],
  [
    new RegExp(`(${SLASH}open-apis${SLASH}bot${SLASH}v2${SLASH}hook${SLASH})[\\w-]+`, "gi"),
    "$1<redacted>",
  ],
  [
    new RegExp(`(${SLASH}services${SLASH})[\\w-]+${SLASH}[\\w-]+${SLASH}[\\w-]+`, "gi"),
    "$1<redacted>",
  ],
  [/(?<![a-z])(Bearer|Basic)(\s+|%20|\+)[\w.~+/=-]+/gi, "$1$2<redacted>"],
  [/(?<![A-Za-z])xox[a-z]-[\w-]+/g, "<redacted>"],
  // A token of a ServiceAccount, wherever it stands.
  [/(?<![A-Za-z])eyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g, "<redacted>"],
  // Up to the last @ before the host: some write one in a password as it is.
  [/((?:\\?\/){2}[^/\s:@]*:)[^/?#\s"'<>]+@/g, "$1<redacted>@"],
];

function member(quote: string, inside: string): RegExp {
  const name = String.raw`[\w.-]*(?:token|secret|api_?key|sign|signature|passw(?:or)?d)`;
  return new RegExp(String.raw`(${quote}${name}${quote}\s*:\s*${quote})(?:${inside})+`, "gis");
}

export function redact(text: string): string {
  let result = text;
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}
