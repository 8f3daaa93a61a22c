import { type Ask, type EventRow, EVERYTHING } from "../../history/history.ts";
import { QueryError } from "../../history/parse.ts";
import type { GuardedEnv } from "../auth/caller.ts";
import { Refusal } from "../auth/refusal.ts";
import { type Hono, html, textOf } from "../server.ts";
import { Assets } from "./assets.ts";
import { mountConfiguration } from "./configuration-routes.ts";
import type { Desk } from "./desk.ts";
import { isKnown } from "./etag.ts";
import { drawEvents } from "./events-page.ts";
import { mountExports } from "./export-routes.ts";
import { FORM_FIELDS } from "./filter-bar.ts";
import { follow } from "./follow.ts";
import type { Writing } from "./follower.ts";
import {
  askFor,
  type C,
  page,
  readerFor,
  readQuery,
  sinkNames,
  unlessUnreadable,
} from "./frame.ts";
import { readerOf } from "./reader.ts";
import { drawRow } from "./rows.ts";
import { mountSinks } from "./sinks-routes.ts";
import { block } from "./sse.ts";
import { mountStories } from "./story-routes.ts";
import { TailHub } from "./tail.ts";
import { mountTemplates } from "./templates-routes.ts";

const DEFAULT_SPAN = "1h";

/** The pages, behind the guard. @returns what arrives, for others who follow it */
export function mountPages(app: Hono<GuardedEnv>, desk: Desk): TailHub {
  const hub = new TailHub(desk.reader, desk.clock);
  desk.signal.addEventListener("abort", () => hub.close(), { once: true });

  const assets = new Assets({ "chat.css": desk.chatStyle });
  mountAssets(app, assets);
  mountStories(app, desk);
  mountSinks(app, desk);
  mountTemplates(app, desk);
  mountConfiguration(app, desk);
  mountExports(app, desk, assets.get("page.css")?.body ?? "");

  app.get("/", async (c) => {
    const params = new URL(c.req.url).searchParams;
    // A form sends fields that nobody filled in as well: the address is to be one that can be read and pasted.
    const said = sayingWhatIsMeant(params);
    if (said.length < params.size)
      return c.redirect(`/?${new URLSearchParams([...said]).toString()}`, 303);
    if (!["since", "from", "to"].some((field) => params.has(field)))
      params.set("since", DEFAULT_SPAN);
    const reader = readerFor(c, desk);
    const read = readQuery(params, desk);
    const base = {
      params,
      problems: read.problems,
      sinks: sinkNames(desk),
      watchingSince: desk.watchingSince(),
      reader,
    };
    if (read.query === null)
      return page(c, desk, reader, "events", reader.words.nav.events, 400, {
        body: drawEvents({ ...base, page: null, timeline: null, visible: null, mark: null }),
      });
    const { query } = read;
    const ask = await askFor(c, desk, query);
    // Before the rows: what arrives while they are read comes once more, and not never, to whoever goes live.
    const now = await unlessUnreadable(desk.reader.tail(EVERYTHING, null, 1, ask));
    const [events, timeline] = await Promise.all([
      unlessUnreadable(desk.reader.events(query.filter, query.limit, query.before, ask)),
      unlessUnreadable(desk.reader.timeline(query.filter, query.timeline, ask)),
    ]);
    const newest = events.value?.rows.length === 0 ? await newestOf(desk, ask) : undefined;
    const troubles = [events, timeline].flatMap(({ trouble }) => trouble ?? []);
    return page(c, desk, reader, "events", reader.words.nav.events, 200, {
      troubles: [...new Set(troubles)],
      body: drawEvents({
        ...base,
        page: events.value,
        newest,
        timeline: timeline.value,
        visible: ask.visible === "all" ? null : ask.visible,
        mark: now.value?.mark ?? null,
      }),
    });
  });

  app.get("/tail", async (c) => {
    const params = new URL(c.req.url).searchParams;
    const { query, problems } = readQuery(params, desk);
    if (query === null) throw new QueryError(problems);
    return follow(c, desk, hub, query, writingFor(c, desk, params));
  });
  return hub;
}

/** @returns `null`: there is none; undefined: it was not found in time */
async function newestOf(desk: Desk, ask: Ask): Promise<EventRow | null | undefined> {
  const { value } = await unlessUnreadable(desk.reader.events(EVERYTHING, 1, null, ask));
  const [newest] = value?.rows ?? [];
  return newest ?? (value?.refine === null ? null : undefined);
}

/** Without what is empty, and without the time that was shown where a form chooses another. */
function sayingWhatIsMeant(params: URLSearchParams): readonly [string, string][] {
  const isChosen =
    FORM_FIELDS.every((field) => params.has(field)) && params.getAll("since").some(Boolean);
  return [...params].filter(
    ([name, value]) =>
      (value !== "" || name === "since") && !(isChosen && (name === "from" || name === "to")),
  );
}

/** Rows as the list has them, so that the page puts them in as they are. */
function writingFor(c: C, desk: Desk, params: URLSearchParams): Writing {
  const { lang, timezone, words } = readerFor(c, desk);
  const own = new URLSearchParams(params);
  for (const field of ["after", "lang"]) own.delete(field);
  const notice = (text: string) =>
    textOf(
      html`<tr class="notice">
        <td colspan="6">${text}</td>
      </tr>`,
    );
  return {
    key: `${lang} ${own.toString()}`,
    row: (row) => {
      const reader = readerOf(lang, timezone, desk.clock.now());
      return block("row", textOf(drawRow(row, own, sinkNames(desk), reader)));
    },
    gap: () => block("gap", notice(words.tail.gap)),
    end: ({ message }) => block("end", notice(`${words.tail.end} ${message}`)),
  };
}

function mountAssets(app: Hono<GuardedEnv>, assets: Assets): void {
  app.get("/assets/:name", (c) => {
    const asset = assets.get(c.req.param("name"));
    if (asset === null) throw new Refusal(404, "there is no such file");
    c.header("etag", asset.etag);
    c.header("cache-control", "private, no-cache");
    if (isKnown(c.req.header("if-none-match"), asset.etag)) return c.body(null, 304);
    return c.body(asset.body, 200, { "content-type": asset.type });
  });
}
