/** Who asks. */
export interface Identity {
  /** As the cluster, the proxy or the token file calls them. */
  readonly name: string;
  readonly groups: readonly string[];
  /** Shown, never decided by. */
  readonly email: string | null;
  /** How it was proven. */
  readonly by: "kubernetes" | "proxy" | "tokenFile" | "loopback";
}

/** Namespaces of Events. A set holds exact names, and holds for what was asked about only. */
export type Namespaces = "all" | ReadonlySet<string>;

/** In every namespace: no namespace has this name. */
export const EVERYWHERE = "*";

/** To read what happened, or to retry and discard deliveries. Who may change may read. */
export type Purpose = "read" | "change";

/**
 * Where one caller may do what they want to. Namespaces are those that the Events are stored in (`KubeEvent.eventNamespace`), as the API
 * server has it: an Event about a Node, which the house shows under `_cluster`, is in `default`, and who may list events there may read it.
 */
export interface Access {
  /** Every query takes it, every read by id is held against it. */
  readonly namespaces: Namespaces;
  /** `false`: there are more namespaces than are asked about at once; naming one asks about that one. */
  readonly complete: boolean;
}

/** Where the API server keeps Events about objects that have no namespace. */
export const HOME_OF_CLUSTER_SCOPED = "default";

export function sees(namespaces: Namespaces, eventNamespace: string): boolean {
  return namespaces === "all" || namespaces.has(eventNamespace);
}

/** For what tells of several events at once, as a digest does: it is shown to who may see them all. */
export function seesEach(namespaces: Namespaces, eventNamespaces: Iterable<string>): boolean {
  if (namespaces === "all") return true;
  // What names no namespace may be about any.
  const each = [...eventNamespaces];
  return each.length > 0 && each.every((one) => namespaces.has(one));
}

/** An answer, or why there is none; then the request is answered 503, never let through. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string };

/** A proven caller. */
export interface Proven {
  readonly identity: Identity;
  /** Where they may do it, within these namespaces: those that a query names, else all that the ledger holds. */
  access(purpose: Purpose, namespaces: readonly string[]): Promise<Answer<Access>>;
  /** What they lack, in the words of whoever grants it. `null`: in no namespace at all; `EVERYWHERE`: not in all of them. */
  lacks(purpose: Purpose, namespace: string | null): string;
}

/** Whoever a token belongs to; `null`: nobody. */
export interface TokenProver {
  prove(token: string): Promise<Answer<Proven | null>>;
  /** Proven lately: no guess, and not to be held up with those who guess. */
  knows(token: string): boolean;
}

/** What a token may look like, which is more than RFC 6750 has: static tokens and those of Rancher hold colons. Anything else is nobody's, and nobody is asked. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,12000}$/.test(text);
}
