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
  /** What was last seen before this time is handed on as old. */
  readonly oldBefore: number;
  /** The uid of an Event that was there when all was well; `null`: none is known. */
  readonly witness: string | null;
  readonly occurrences: Occurrences;
  readonly garbage: (detail: string) => void;
  /** Now and then while it goes on: how many items were read, and about how many are still to come (`null`: the server does not say). */
  readonly listed: (read: number, remaining: number | null) => void;
}

export interface Relisted {
  /** To watch from. */
  readonly version: string;
  /** It holds an Event last written before `newerThan`. Events expire in the order they were written: then none is missing that came after. */
  readonly reachesBack: boolean;
  /** The witness is gone: forgotten by the cluster, or deleted while nobody watched. */
  readonly witnessGone: boolean;
  /** Written last of all; `null`: the list is empty. */
  readonly newest: KubeEvent | null;
}

/** A list that takes longer says how far it is, this often. */
const TELL_MS = 5_000;
/** A list comes in the order of names; this many are put in the order of time before they are handed on. */
const SORTED = 5_000;

/**
 * Lists page by page and hands on the occurrences not seen yet, in order as far as memory is bounded.
 * What was handed on before an error is not handed on again by the next try.
 */
export async function relist(
  request: Relist,
  put: (event: KubeEvent, isOld: boolean) => Promise<void>,
  signal: AbortSignal,
): Promise<Relisted> {
  const { occurrences, clock, oldBefore, newerThan, witness } = request;
  let told = clock.now();
  const receivedAt = new Date(told).toISOString();
  let unseen: KubeEvent[] = [];
  const flush = async (): Promise<void> => {
    const sorted = unseen.toSorted(
      (a, b) => compareVersions(a.resourceVersion, b.resourceVersion) ?? 0,
    );
    unseen = [];
    for (const event of sorted) {
      if (occurrences.take(event)) await put(event, Date.parse(event.lastSeen) < oldBefore);
    }
  };

  let version = "";
  let read = 0;
  let reachesBack = false;
  let witnessGone = witness !== null;
  let newest: KubeEvent | null = null;
  for await (const page of listPages(request.client, request.path, request.query, signal)) {
    version = page.resourceVersion;
    for (const raw of page.items) {
      const event = normalize(raw, request.cluster, receivedAt);
      if (event === null) {
        request.garbage("an item of the list is no Event");
        continue;
      }
      if (event.uid === witness) witnessGone = false;
      if (isNewer(event.resourceVersion, newest?.resourceVersion ?? null)) newest = event;
      const isNew = isNewer(event.resourceVersion, newerThan);
      reachesBack ||= !isNew;
      if (isNew && Date.parse(event.lastSeen) >= request.seenSince) unseen.push(event);
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
  return { version, reachesBack, witnessGone, newest };
}
