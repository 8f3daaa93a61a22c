import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { Permission } from "../../config/web-grammar.ts";
import type { Reviewed, ReviewedUser, Reviews } from "../../source/kubernetes/delegate.ts";
import type { Access, Answer, Identity, Proven, Purpose, TokenProver } from "./identity.ts";
import { EVERYWHERE, isToken } from "./identity.ts";
import { permissionText, READ_EVENTS, ruleText } from "./permission.ts";
import { Gate, Remembered, Shared } from "./remembered.ts";

export interface KubernetesOptions {
  /** Whom a token has to be meant for, any of them; empty: the API server itself. */
  readonly audiences: readonly string[];
  /** What one has to be allowed for a retry or a discard. */
  readonly change: Permission;
}

/** How long a yes holds, and with it a token or a right that was taken away; a no is asked again sooner, for it may have been granted. */
const YES_MS = 60_000;
const NO_MS = 10_000;
/** Whoever waits longer is told that the API server does not answer. */
const PATIENCE_MS = 10_000;
const MOST_TOKENS = 2_000;
const MOST_RIGHTS = 50_000;
/** Namespaces asked about for one request. */
export const MOST_NAMESPACES = 1_000;
const AT_ONCE = 16;
const MOST_WAITING = 20_000;

export type KubernetesProver = TokenProver & {
  /** Of somebody whom the proxy vouches for. */
  vouchedFor(identity: Identity): Proven;
};

/** The API server knows whose a token is, and what they may do. */
export function createKubernetesProver(
  { audiences, change }: KubernetesOptions,
  { reviews, clock, signal }: { reviews: Reviews; clock: Clock; signal: AbortSignal },
): KubernetesProver {
  const known = new Remembered<ReviewedUser>(clock, MOST_TOKENS);
  const proven = new Remembered<true>(clock, MOST_TOKENS);
  const refused = new Remembered<true>(clock, MOST_TOKENS);
  const rights = new Remembered<boolean>(clock, MOST_RIGHTS);
  const tokens = new Shared<Reviewed<ReviewedUser | null>>();
  const questions = new Shared<Reviewed<boolean>>();
  const gate = new Gate(AT_ONCE);

  async function whose(token: string): Promise<Reviewed<ReviewedUser | null>> {
    const key = digest(token);
    const user = known.get(key);
    if (user !== undefined) return { ok: true, value: user };
    if (refused.get(key) === true) return { ok: true, value: null };
    if (gate.waiting > MOST_WAITING) return BUSY;
    const asked = await tokens.ask(key, () =>
      gate.run(() => reviews.token(token, audiences, signal)),
    );
    if (!asked.ok) return asked;
    if (asked.value === null) {
      refused.set(key, true, NO_MS);
      proven.delete(key);
    } else {
      known.set(key, asked.value, YES_MS);
      // Longer than the answer itself holds, so that asking again is not taken for a guess.
      proven.set(key, true, 10 * YES_MS);
    }
    return asked;
  }

  async function allowed(
    user: ReviewedUser,
    permission: Permission,
    namespace: string | null,
  ): Promise<Reviewed<boolean>> {
    const key = digest(JSON.stringify([user, permission, namespace]));
    const remembered = rights.get(key);
    if (remembered !== undefined) return { ok: true, value: remembered };
    if (gate.waiting > MOST_WAITING) return BUSY;
    const asked = await questions.ask(key, () =>
      gate.run(() => reviews.allowed(user, { ...permission, namespace }, signal)),
    );
    if (asked.ok) rights.set(key, asked.value, asked.value ? YES_MS : NO_MS);
    return asked;
  }

  async function anyAllowed(
    user: ReviewedUser,
    permissions: readonly Permission[],
    namespace: string | null,
  ): Promise<Reviewed<boolean>> {
    let last: Reviewed<boolean> = { ok: true, value: false };
    for (const permission of permissions) {
      last = await allowed(user, permission, namespace);
      if (!last.ok || last.value) return last;
    }
    return last;
  }

  async function within(
    user: ReviewedUser,
    permissions: readonly Permission[],
    namespaces: readonly string[],
  ): Promise<Answer<Access>> {
    const everywhere = await anyAllowed(user, permissions, null);
    if (!everywhere.ok) return everywhere;
    if (everywhere.value) return { ok: true, value: { namespaces: "all", complete: true } };
    const wanted = [...new Set(namespaces)];
    const asked = wanted.slice(0, MOST_NAMESPACES);
    const answers = await Promise.all(asked.map((one) => anyAllowed(user, permissions, one)));
    const away = answers.find((one) => !one.ok);
    if (away !== undefined && !away.ok) return away;
    const seen = asked.filter((_, index) => {
      const answer = answers[index];
      return answer?.ok === true && answer.value;
    });
    const complete = asked.length === wanted.length;
    return { ok: true, value: { namespaces: new Set(seen), complete } };
  }

  async function access(
    user: ReviewedUser,
    purpose: Purpose,
    namespaces: readonly string[],
  ): Promise<Answer<Access>> {
    const read = await within(user, READ_EVENTS, namespaces);
    if (purpose === "read" || !read.ok) return read;
    const readable = read.value.namespaces === "all" ? namespaces : [...read.value.namespaces];
    const changed = await within(user, [change], readable);
    if (!changed.ok) return changed;
    return {
      ok: true,
      value: {
        // Nobody changes what they may not see.
        namespaces:
          changed.value.namespaces === "all" ? read.value.namespaces : changed.value.namespaces,
        complete: read.value.complete && changed.value.complete,
      },
    };
  }

  function provenAs(user: ReviewedUser, identity: Identity): Proven {
    return {
      identity,
      access: (purpose, namespaces) => inTime(clock, access(user, purpose, namespaces)),
      lacks: (purpose, namespace) => {
        const wanted = purpose === "read" ? READ_EVENTS[0] : change;
        if (wanted === undefined) return "";
        const [where, role] = placeOf(namespace);
        return `${identity.name} may not ${permissionText(wanted)} ${where}; bind ${role} with ${ruleText(wanted)}`;
      },
    };
  }

  return {
    async prove(token) {
      if (!isToken(token)) return { ok: true, value: null };
      const asked = await inTime(clock, whose(token));
      if (!asked.ok || asked.value === null) return asked.ok ? { ok: true, value: null } : asked;
      const user = asked.value;
      const { username, groups } = user;
      return {
        ok: true,
        value: provenAs(user, { name: username, groups, email: null, by: "kubernetes" }),
      };
    },
    knows: (token) => proven.get(digest(token)) === true,
    vouchedFor: (identity) => {
      // As the API server itself counts whoever it knows.
      const groups = [...identity.groups, "system:authenticated"];
      return provenAs({ username: identity.name, uid: "", groups, extra: {} }, identity);
    },
  };
}

/** Where it is lacking, and what would give it there. */
function placeOf(namespace: string | null): readonly [where: string, role: string] {
  switch (namespace) {
    case null:
      return ["in any namespace", "a Role in each namespace concerned, or a ClusterRole,"];
    case EVERYWHERE:
      return ["in all namespaces", "a ClusterRole by a ClusterRoleBinding,"];
    default:
      return [`in namespace ${namespace}`, `a Role in namespace ${namespace}, or a ClusterRole,`];
  }
}

const BUSY = {
  ok: false,
  detail: "too many questions to the API server wait for their answer",
} as const;

/** Tokens are remembered by their hash: what is kept lets nobody in. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

async function inTime<T>(clock: Clock, answer: Promise<Answer<T>>): Promise<Answer<T>> {
  const done = new AbortController();
  const late = clock.sleep(PATIENCE_MS, done.signal).then((): Answer<T> => ({
    ok: false,
    detail: `no answer from the API server within ${PATIENCE_MS / 1000} s`,
  }));
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}
