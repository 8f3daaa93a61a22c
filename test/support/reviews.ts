type Fields = Readonly<Record<string, unknown>>;

export interface FakeUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One rule: who (a user or a group), what (`list events`, `update deliveries.kube-crier.io`), where (`null`: everywhere). */
export interface Grant {
  readonly to: string;
  readonly permission: string;
  readonly namespace: string | null;
}

/**
 * TokenReview and SubjectAccessReview as kube-apiserver v1.34 answers them (looked at on a real one): a token that is wrong or for another
 * audience has no `authenticated` at all, a right that is not given is `allowed: false`.
 */
export class FakeReviews {
  readonly tokens = new Map<string, { user: FakeUser; audiences?: readonly string[] }>();
  grants: Grant[] = [];
  /** What was asked, for tests that count. */
  readonly asked: { readonly kind: string; readonly spec: Fields }[] = [];
  /** A server that knows nothing of audiences. */
  ignoresAudiences = false;

  grant(to: string, permission: string, namespace: string | null = null): void {
    this.grants.push({ to, permission, namespace });
  }

  count(kind: "TokenReview" | "SubjectAccessReview"): number {
    return this.asked.filter((one) => one.kind === kind).length;
  }

  /** The object as the API server gives it back. */
  answer(body: Fields): Fields {
    const spec = body["spec"] as Fields;
    const kind = String(body["kind"]);
    this.asked.push({ kind, spec });
    const status = kind === "TokenReview" ? this.#token(spec) : { allowed: this.#allowed(spec) };
    return { kind, apiVersion: body["apiVersion"], metadata: {}, spec, status };
  }

  #token(spec: Fields): Fields {
    const known = this.tokens.get(String(spec["token"]));
    const wanted = spec["audiences"] as readonly string[] | undefined;
    const own = known?.audiences ?? ["https://kubernetes.default.svc"];
    const audiences = wanted === undefined ? own : own.filter((one) => wanted.includes(one));
    if (known === undefined || (audiences.length === 0 && !this.ignoresAudiences))
      return { user: {}, error: "invalid bearer token" };
    return {
      authenticated: true,
      user: known.user,
      ...(this.ignoresAudiences ? {} : { audiences }),
    };
  }

  #allowed(spec: Fields): boolean {
    const { verb, group, resource, namespace } = spec["resourceAttributes"] as {
      [field: string]: string | undefined;
    };
    const permission = `${verb} ${resource}${(group ?? "") === "" ? "" : `.${group}`}`;
    const who = [spec["user"], ...((spec["groups"] as readonly unknown[] | undefined) ?? [])];
    return this.grants.some(
      (one) =>
        who.includes(one.to) &&
        one.permission === permission &&
        (one.namespace === null || one.namespace === namespace),
    );
  }
}
