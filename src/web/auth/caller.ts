import type { Context, HttpBindings } from "../server.ts";
import type { Access, Proven, Purpose } from "./identity.ts";
import { EVERYWHERE, sees, seesEach } from "./identity.ts";
import type { Origin } from "./proxy.ts";
import { Refusal } from "./refusal.ts";

/** Who makes this request. */
export interface Caller extends Proven {
  readonly origin: Origin;
  /** For a hidden field `_csrf` of every form, or the header X-CSRF-Token; `null`: not needed, the caller has a token of their own. */
  readonly csrf: string | null;
  /** They signed in at the form, and may sign out. */
  readonly session: boolean;
}

/** The environment of every handler behind the guard. */
export interface GuardedEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    caller: Caller;
    /** Proves it anew, for an answer that goes on for long; `null`: not any more. @throws Refusal */
    again: () => Promise<Caller | null>;
    /** There are more namespaces than could be asked about: what is shown is not all that the caller may see. */
    partial?: true;
  };
}

export function callerOf(c: Context<GuardedEnv>): Caller {
  return c.get("caller");
}

/** The namespaces that there are. */
export type Known = () => readonly string[] | Promise<readonly string[]>;

/**
 * Where the caller may do this, for a query.
 * @param named the namespaces that the query names: each must be allowed, else 403 says what is missing
 * @param known those that there are, asked about where none is named
 * @throws Refusal 403 where the caller may do it nowhere, 503 where nobody can say
 */
export async function accessFor(
  c: Context<GuardedEnv>,
  purpose: Purpose,
  named: readonly string[],
  known: Known,
): Promise<Access> {
  const wanted = named.length > 0 ? named : await known();
  const access = await answered(c, purpose, wanted);
  const { namespaces, complete } = access;
  const isPartial = named.length === 0 && !complete;
  if (isPartial) c.set("partial", true);
  const refused = named.find((one) => !sees(namespaces, one));
  if (refused !== undefined) throw new Refusal(403, callerOf(c).lacks(purpose, refused));
  if (named.length === 0 && wanted.length > 0 && namespaces !== "all" && namespaces.size === 0)
    throw new Refusal(
      403,
      `${callerOf(c).lacks(purpose, null)}${isPartial ? "; there are more namespaces than are asked about at once: name one of yours" : ""}`,
    );
  return access;
}

/**
 * For what was asked for by its id, to be called whether it was found or not: what is hidden and what does not exist are answered alike.
 * Who may read it but not change it is told what they lack.
 * @param where the namespaces of all events it tells of (`KubeEvent.eventNamespace`); `null`: there is none of this id
 * @throws Refusal 404, 403 or 503
 */
export async function mustBeAllowed(
  c: Context<GuardedEnv>,
  purpose: Purpose,
  where: readonly string[] | null,
): Promise<void> {
  const hidden = new Refusal(
    404,
    "there is nothing of this id, or it is of a namespace whose events you may not list",
  );
  if (where === null) throw hidden;
  const read = await answered(c, "read", where);
  if (!seesEach(read.namespaces, where)) throw hidden;
  if (purpose === "read") return;
  const change = await answered(c, purpose, where);
  if (seesEach(change.namespaces, where)) return;
  const refused = where.find((one) => !sees(change.namespaces, one)) ?? null;
  throw new Refusal(403, callerOf(c).lacks(purpose, refused));
}

/**
 * For what is about all of it, not about some namespace's events: the configuration and the templates. They are for who may read events
 * everywhere, and for who retries and discards, which is to run it.
 */
export async function maySeeSetup(c: Context<GuardedEnv>, known: Known): Promise<boolean> {
  const namespaces = await known();
  const read = await answered(c, "read", namespaces);
  if (read.namespaces === "all") return true;
  const change = await answered(c, "change", namespaces);
  return change.namespaces === "all" || change.namespaces.size > 0;
}

/** @throws Refusal 403 or 503 */
export async function mustSeeSetup(c: Context<GuardedEnv>, known: Known): Promise<void> {
  if (!(await maySeeSetup(c, known))) throw new Refusal(403, callerOf(c).lacks("read", EVERYWHERE));
}

async function answered(
  c: Context<GuardedEnv>,
  purpose: Purpose,
  namespaces: readonly string[],
): Promise<Access> {
  const answer = await callerOf(c).access(purpose, namespaces);
  if (answer.ok) return answer.value;
  throw unavailable(answer.detail);
}

export function unavailable(detail: string): Refusal {
  return new Refusal(503, `nobody can say now what you may see: ${detail}`, { "Retry-After": "5" });
}
