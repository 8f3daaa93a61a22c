import type { Checkpoint } from "../source.ts";
import type { Blind } from "./forgotten.ts";

/** Where a stream is in the cluster's history, which decides its next step. */
export type Position =
  | { readonly kind: "start" }
  | { readonly kind: "list"; readonly what: Listing }
  | { readonly kind: "watch"; readonly trust: Trust };

/** What a watch's version rests on: a list just made, the watch before, or a connection that broke in between. */
export type Trust = "fresh" | "usual" | "doubtful";

export interface Listing {
  readonly newerThan: string | null;
  readonly seenSince: number;
  /** Nothing of it is too old: it is what `replay` asks for. */
  readonly isFirst: boolean;
  /** The time that was not watched; `null`: what is left shows whether anything is missing. */
  readonly blind: Blind | null;
}

export const EVER = Number.NEGATIVE_INFINITY;

/** The time that was not watched where there is no checkpoint, or that of another cluster. */
export function blindBefore(resume: Checkpoint | null, begun: number, now: number): Blind {
  return resume === null
    ? { cause: "firstStart", since: begun, until: begun }
    : { cause: "otherCluster", since: resume.at, until: now };
}

/** A first list, of which only what was seen since then counts. */
export function replay(seenSince: number, blind: Blind): Position {
  return { kind: "list", what: { newerThan: null, seenSince, isFirst: true, blind } };
}

/** A list of what came after a version that the cluster has forgotten; `null`: of all, for it does not understand it. */
export function relisting(newerThan: string | null): Position {
  return { kind: "list", what: { newerThan, seenSince: EVER, isFirst: false, blind: null } };
}

/** A list of all, for we know a version that the cluster has not reached yet, as after a restored etcd. */
export function future(since: number, until: number): Position {
  const blind = { cause: "futureVersion", since, until } as const;
  return { kind: "list", what: { newerThan: null, seenSince: EVER, isFirst: false, blind } };
}
