import { ApiError, ConnectionError } from "./errors.ts";
import { versionOf } from "./frames.ts";
import type { KubeClient, Query } from "./transport.ts";

const PAGE = 500;

export interface Page {
  readonly items: readonly unknown[];
  /** Of the first page, even where a later one says another: everything after this version is still to be watched. */
  readonly resourceVersion: string;
  /** How many items are still to come, about; `null` where the server does not say. */
  readonly remaining: number | null;
}

/**
 * A list page by page, so that no cluster is ever held in memory. An expired continue token is replaced by the one the server offers
 * for the rest of the list as it is now; where it offers none, the ApiError (410) is for the caller to start again.
 */
export async function* listPages(
  client: KubeClient,
  path: string,
  query: Query,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let limit = PAGE;
  let token = "";
  let first: string | null = null;
  let replaced = false;
  for (;;) {
    let page: unknown;
    try {
      const at = token === "" ? {} : { continue: token };
      page = await client.get(path, { ...query, limit: String(limit), ...at }, signal);
    } catch (error) {
      // Once for each page: whoever expires what they have just offered is asked again after a pause, and not at once for ever.
      if (error instanceof ApiError && error.gone && error.continueToken !== null && !replaced) {
        token = error.continueToken;
        replaced = true;
        continue;
      }
      if (error instanceof ConnectionError && error.tooLarge && limit > 1) {
        limit = Math.ceil(limit / 10);
        continue;
      }
      throw error;
    }
    replaced = false;
    const items = itemsOf(page, client.server, path);
    first ??= requireVersion(page, client.server, path);
    token = continueOf(page);
    yield { items, resourceVersion: first, remaining: token === "" ? 0 : remainingOf(page) };
    if (token === "") return;
  }
}

/** The version the cluster is at, by the cheapest list there is. */
export async function currentVersion(
  client: KubeClient,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  return requireVersion(await client.get(path, { limit: "1" }, signal), client.server, path);
}

function itemsOf(page: unknown, server: string, path: string): readonly unknown[] {
  const items = (page as { items?: unknown } | null)?.items;
  // Go writes an empty list as null.
  if (items === null) return [];
  if (Array.isArray(items)) return items as unknown[];
  throw new ConnectionError(`${server}${path} answered something that is no list`);
}

function requireVersion(page: unknown, server: string, path: string): string {
  const version = versionOf(page);
  if (version !== "") return version;
  throw new ConnectionError(`${server}${path} answered a list without a resourceVersion`);
}

function remainingOf(page: unknown): number | null {
  const count = (page as { metadata?: { remainingItemCount?: unknown } } | null)?.metadata
    ?.remainingItemCount;
  return typeof count === "number" ? count : null;
}

function continueOf(page: unknown): string {
  const token = (page as { metadata?: { continue?: unknown } } | null)?.metadata?.continue;
  return typeof token === "string" ? token : "";
}
