import type { Context } from "../server.ts";

/** The languages that pages are written in. */
export type Lang = "en" | "zh";

const COOKIE = "kube-crier-lang";
const COOKIES = new RegExp(`(?:^|;\\s*)${COOKIE}=(en|zh)\\s*(?:;|$)`);

/** The language of this request: the address's, else the one chosen before, else the browser's. */
export function langOf(c: Context): Lang {
  const chosen = COOKIES.exec(c.req.header("cookie") ?? "")?.[1];
  return chooseLang(asked(c) ?? chosen, c.req.header("accept-language"));
}

/** Where the address says a language, it is kept for the pages that come after. */
export function keepLang(c: Context): void {
  const lang = asked(c);
  if (lang !== undefined)
    c.header("set-cookie", `${COOKIE}=${lang}; Path=/; Max-Age=31536000; SameSite=Strict`);
}

function asked(c: Context): Lang | undefined {
  const lang = c.req.query("lang");
  return lang === "zh" || lang === "en" ? lang : undefined;
}

/**
 * What was asked for, else the language we speak that is wanted most (RFC 9110, 12.5.4); of those wanted alike the first. English
 * where there is none.
 */
export function chooseLang(chosen: string | undefined, accepted: string | undefined): Lang {
  if (chosen === "zh" || chosen === "en") return chosen;
  let best: Lang = "en";
  let most = 0;
  for (const range of (accepted ?? "").toLowerCase().split(",")) {
    const [tag = "", ...parameters] = range.split(";").map((part) => part.trim());
    const [lang] = tag.split("-");
    const weight = weightOf(parameters);
    if ((lang !== "zh" && lang !== "en") || weight <= most) continue;
    best = lang;
    most = weight;
  }
  return best;
}

/** Of 0 to 1; one that cannot be read does not count. */
function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((one) => one.startsWith("q="));
  if (weight === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0;
}
