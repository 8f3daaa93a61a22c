import type { Config, SinkConfig } from "../config/config.ts";
import type { Alert } from "../event/alert.ts";
import { storedKey } from "../ledger/key.ts";

/** A platform's limits leave room for this; what is longer is an Event with a uid that no API server gave it. */
const LINK_MAX = 560;

/** Where the page tells of an alert; `null`: nothing leads there. */
export function linkOf(
  { web }: Pick<Config, "web">,
  { name }: Pick<SinkConfig, "name">,
  alert: Alert,
): string | null {
  if (web.externalUrl === null) return null;
  const link = web.externalUrl + pathOf(alert, name);
  return link.length > LINK_MAX ? null : link;
}

function pathOf(alert: Alert, sink: string): string {
  switch (alert.kind) {
    case "event":
      return `/events/${encoded(storedKey(alert.event))}`;
    case "digest":
      return listOf(
        alert.from,
        alert.to,
        // What is too old was owed to no sink.
        alert.tooOld === true ? { why: "tooOld" } : { sink, state: "folded" },
      );
    case "gap":
      return listOf(alert.since, alert.until, {});
  }
}

/** The list of a time, the last moment included. */
function listOf(from: string, to: string, fields: Readonly<Record<string, string>>): string {
  const end = Date.parse(to);
  const until = Number.isNaN(end) ? to : new Date(end + 1).toISOString();
  return `/?${new URLSearchParams({ from, to: until, ...fields }).toString()}`;
}

/** Without the characters, too, that mean something in a chat's markup. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
