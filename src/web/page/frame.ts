import { type Ask, BusyError, UnreadableError, type Visible } from "../../history/history.ts";
import { parseQuery, type Query, QueryError, type QueryProblem } from "../../history/parse.ts";
import { accessFor, callerOf, type GuardedEnv } from "../auth/caller.ts";
import { HOME_OF_CLUSTER_SCOPED, type Namespaces } from "../auth/identity.ts";
import { keepLang, type Lang, langOf } from "../auth/lang.ts";
import type { Context, Html } from "../server.ts";
import { DEADLINE_MS, type Desk } from "./desk.ts";
import { type Reader, readerOf } from "./reader.ts";
import { drawShell, type Tab } from "./shell.ts";
import { WORDS } from "./words.ts";

export type C = Context<GuardedEnv>;

/** Fields of the page's own, besides those of a query. */
const OWN_FIELDS = ["lang", "view", "after"];

export function readQuery(
  params: URLSearchParams,
  desk: Desk,
): { readonly query: Query | null; readonly problems: readonly QueryProblem[] } {
  try {
    return { query: parseQuery(params, desk.clock.now(), OWN_FIELDS), problems: [] };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { query: null, problems: error.problems };
  }
}

export async function askFor(c: C, desk: Desk, query: Query): Promise<Ask> {
  return askBy(c, desk, await visibleFor(c, desk, query));
}

/** Of what a query asks for, what this caller may see. */
export async function visibleFor(c: C, desk: Desk, { filter }: Query): Promise<Visible> {
  const named = filter.namespaces.map((ns) => (ns === "-" ? HOME_OF_CLUSTER_SCOPED : ns));
  const { namespaces } = await accessFor(c, "read", named, desk.namespaces);
  return visibleOf(namespaces);
}

/** The same for every request of one person. */
export function askerOf(c: C): string {
  const { by, name } = callerOf(c).identity;
  return `${by} ${name}`;
}

/** A question of this caller's; whoever goes away takes it back. */
export function askBy(c: C, desk: Pick<Desk, "signal">, visible: Visible): Ask {
  return {
    visible,
    deadlineMs: DEADLINE_MS,
    asker: askerOf(c),
    signal: AbortSignal.any([desk.signal, c.req.raw.signal]),
  };
}

/** For the history's questions. */
export function visibleOf(namespaces: Namespaces): Visible {
  return namespaces === "all" ? "all" : [...namespaces].toSorted();
}

/** A store that is down is said on the page, which shows what there is without it. */
export async function unlessUnreadable<T>(
  answer: Promise<T>,
): Promise<{ readonly value: T | null; readonly trouble: string | null }> {
  try {
    return { value: await answer, trouble: null };
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof BusyError)
      return { value: null, trouble: error.message };
    throw error;
  }
}

export function readerFor(c: C, { config, clock }: Desk): Reader {
  keepLang(c);
  return readerOf(langOf(c), config.timezone, clock.now());
}

export function page(
  c: C,
  { config, troubles }: Desk,
  reader: Reader,
  tab: Tab,
  title: string,
  status: 200 | 400,
  drawn: {
    readonly body: Html;
    readonly troubles?: readonly string[];
    readonly chat?: boolean;
  },
): Response | Promise<Response> {
  const { identity, csrf, session } = callerOf(c);
  const url = new URL(c.req.url);
  url.searchParams.set("lang", reader.lang === "en" ? "zh" : "en");
  return c.html(
    drawShell({
      reader,
      tab,
      title,
      cluster: config.cluster,
      caller: session && csrf !== null ? { name: identity.name, csrf } : null,
      troubles: troublesFor(c, { troubles }, reader.lang, drawn.troubles),
      otherLanguage: `${url.pathname}${url.search}`,
      chat: drawn.chat ?? false,
      body: drawn.body,
    }),
    status,
  );
}

/** What does not work now, and what is missing for this caller. */
export function troublesFor(
  c: C,
  { troubles }: Pick<Desk, "troubles">,
  lang: Lang,
  own: readonly string[] = [],
): readonly string[] {
  return [...troubles(lang), ...(c.get("partial") === true ? [WORDS[lang].partial] : []), ...own];
}

export function sinkNames({ config }: Desk): readonly string[] {
  return config.sinks.map(({ name }) => name);
}
