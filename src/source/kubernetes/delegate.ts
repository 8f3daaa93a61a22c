import type { ConfigIssue } from "../../config/config.ts";
import { ApiError, isNoAnswer } from "./errors.ts";
import { classify } from "./failure.ts";
import { mayI } from "./review.ts";
import type { KubeClient } from "./transport.ts";

/** Somebody else, as the API server knows them. `extra` goes back to it with each question about their rights. */
export interface ReviewedUser {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What may be asked for; `namespace` null: all of them. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace: string | null;
}

/** An answer, or why there is none: then nobody knows, and nothing is allowed. */
export type Reviewed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string };

/** What the API server says of other people's tokens and rights. */
export interface Reviews {
  /** Whose token it is; `null`: nobody's. Without audiences it has to be one for the API server itself. */
  token(
    token: string,
    audiences: readonly string[],
    signal: AbortSignal,
  ): Promise<Reviewed<ReviewedUser | null>>;
  allowed(
    user: ReviewedUser,
    attributes: Attributes,
    signal: AbortSignal,
  ): Promise<Reviewed<boolean>>;
}

const TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/**
 * TokenReview and SubjectAccessReview. The API server being away, busy, or refusing us is an answer (`ok: false`), never a yes.
 */
export function createReviews(client: KubeClient): Reviews {
  async function ask(
    path: string,
    kind: string,
    spec: unknown,
    secret: string,
    signal: AbortSignal,
  ): Promise<Reviewed<Fields>> {
    const apiVersion = path.split("/").slice(2, 4).join("/");
    const post = () => client.post(path, { apiVersion, kind, spec }, signal);
    try {
      const answer = await post().catch((error: unknown) => {
        // Our own token was rotated meanwhile: the client has read it anew.
        if (!(error instanceof ApiError) || error.status !== 401) throw error;
        return post();
      });
      return { ok: true, value: fieldsOf(fieldsOf(answer)["status"]) };
    } catch (error) {
      const failure = classify(error);
      if (failure === null && !signal.aborted) throw error;
      // What stands between may quote what it was sent.
      const text = failure?.detail ?? "no answer in time";
      const detail = secret === "" ? text : text.replaceAll(secret, "<redacted>");
      return { ok: false, detail: `${detail}${hintFor(error)}` };
    }
  }

  return {
    async token(token, audiences, signal) {
      const spec = { token, ...(audiences.length === 0 ? {} : { audiences }) };
      const asked = await ask(TOKENS, "TokenReview", spec, token, signal);
      if (!asked.ok) return asked;
      const status = asked.value;
      const user = fieldsOf(status["user"]);
      const username = textOf(user["username"]);
      if (status["authenticated"] !== true || username === "") return { ok: true, value: null };
      // A server that knows nothing of audiences says none: then the token may be meant for anybody.
      const meant = textsOf(status["audiences"]);
      if (audiences.length > 0 && !audiences.some((one) => meant.includes(one)))
        return { ok: true, value: null };
      return {
        ok: true,
        value: {
          username,
          uid: textOf(user["uid"]),
          groups: textsOf(user["groups"]),
          extra: Object.fromEntries(
            Object.entries(fieldsOf(user["extra"])).map(([key, value]) => [key, textsOf(value)]),
          ),
        },
      };
    },

    async allowed({ username, uid, groups, extra }, { namespace, ...attributes }, signal) {
      const spec = {
        user: username,
        uid,
        groups,
        extra,
        resourceAttributes: { ...attributes, ...(namespace === null ? {} : { namespace }) },
      };
      const asked = await ask(ACCESS, "SubjectAccessReview", spec, "", signal);
      if (!asked.ok) return asked;
      const { allowed, denied } = asked.value;
      return { ok: true, value: allowed === true && denied !== true };
    },
  };
}

const NEEDED = [
  { group: "authentication.k8s.io", resource: "tokenreviews" },
  { group: "authorization.k8s.io", resource: "subjectaccessreviews" },
] as const;

/** What waiting cannot cure: the rights that we need ourselves to ask for others. */
export async function delegateProblems(
  client: KubeClient,
  signal: AbortSignal,
): Promise<readonly ConfigIssue[]> {
  try {
    const missing: string[] = [];
    for (const one of NEEDED) {
      const { allowed } = await mayI(client, { ...one, verb: "create" }, signal);
      if (!allowed) missing.push(`${one.resource}.${one.group}`);
    }
    if (missing.length === 0) return [];
    return [
      {
        where: `--web-listen (${client.origin})`,
        message: `the API server cannot be asked who somebody is and what they may see: create is not allowed on ${missing.join(" and ")}`,
        hint: "apply deploy/kube-crier-web.yaml, or set webKubernetes: off and webAccessFile",
      },
    ];
  } catch (error) {
    // Down or busy: whoever wants to look is told so.
    if (isNoAnswer(error, signal)) return [];
    throw error;
  }
}

function hintFor(error: unknown): string {
  return error instanceof ApiError && error.status === 403
    ? "; kube-crier itself lacks a right: apply deploy/kube-crier-web.yaml"
    : "";
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
