import type { Clock } from "../../clock.ts";
import type { KubeEvent } from "../../event/event.ts";
import { normalize } from "../../event/normalize.wire.ts";
import { listPages } from "./list.ts";
import type { Occurrences } from "./occurrences.ts";
import type { KubeClient, Query } from "./transport.ts";
import { compareVersions, isNewer } from "./version.ts";

export interface Relist {
  readonly client: KubeClient;
  readonly path: string;
  readonly query: Query;
  readonly cluster: string;
  readonly clock: Clock;
  /** Only what changed after this version; `null`: everything. */
  readonly newerThan: string | null;
  /** Only what was last seen at or after this time, in milliseconds since the epoch. */
  readonly seenSince: number;
  readonly occurrences: Occurrences;
  readonly garbage: (detail: string) => void;
  /** Now and then while it goes on: how many items were read, and about how many are still to come (`null`: the server does not say). */
  readonly listed: (read: number, remaining: number | null) => void;
}

/** A list that takes longer says how far it is, this often. */
const TELL_MS = 5_000;
/** A list comes in the order of names; this many are put in the order of time before they are handed on. */
const SORTED = 5_000;

/**
 * Lists page by page and hands on the occurrences not seen yet, in order as far as memory is bounded.
 * Answers the version to watch from. What was handed on before an error is not handed on again by the next try.
 */
export async function relist(
  request: Relist,
  put: (event: KubeEvent) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const { occurrences, clock } = request;
  let told = clock.now();
  const receivedAt = new Date(told).toISOString();
  let unseen: KubeEvent[] = [];
  const flush = async (): Promise<void> => {
    const sorted = unseen.toSorted(
      (a, b) => compareVersions(a.resourceVersion, b.resourceVersion) ?? 0,
    );
    unseen = [];
    for (const event of sorted) if (occurrences.take(event)) await put(event);
  };

  let version = "";
  let read = 0;
  for await (const page of listPages(request.client, request.path, request.query, signal)) {
    version = page.resourceVersion;
    for (const raw of page.items) {
      const event = normalize(raw, request.cluster, receivedAt);
      if (event === null) request.garbage("an item of the list is no Event");
      else if (
        isNewer(event.resourceVersion, request.newerThan) &&
        Date.parse(event.lastSeen) >= request.seenSince
      )
        unseen.push(event);
      // Remembered all the same: a later change of its metadata alone is no occurrence.
      else occurrences.take(event);
    }
    if (unseen.length >= SORTED) await flush();
    read += page.items.length;
    if (clock.now() - told < TELL_MS) continue;
    told = clock.now();
    request.listed(read, page.remaining);
  }
  await flush();
  return version;
}
