import type {
  AccessKey,
  HttpAnswer,
  SinkCheck,
  SinkProblem,
  Verdict,
} from "../../src/sink/index.ts";

/** What a request is signed with, and where it goes. */
export interface Granted {
  readonly key: AccessKey;
  /** The region's ID; empty where nobody needs it. */
  readonly region: string;
  /** The account's ID; empty where nobody needs it. */
  readonly account: string;
}

/** Nothing to sign with: what that means for a delivery, and for the look before the first. */
export interface Refused {
  readonly verdict: Exclude<Verdict, { readonly kind: "accepted" }>;
  readonly problem: SinkProblem;
}

export interface Access {
  /** Never rejects. */
  get(signal: AbortSignal): Promise<Granted | Refused>;
  /** The platform no longer takes this key. `false`: there is no other to be had. */
  drop(key: AccessKey): boolean;
  close(): void;
}

/** A key that was given: nobody is asked for one. */
export function ownKey(granted: Granted): Access {
  return { get: () => Promise.resolve(granted), drop: () => false, close: () => undefined };
}

/** Before what a platform says to the freshest credentials there are. */
export const STALE = "the RAM role's credentials, asked for anew, are refused";

export type Outcome =
  /** `isStale`: what the platform no longer takes is the freshest there is. */
  { readonly answer: HttpAnswer; readonly isStale: boolean } | Refused;

/**
 * One answer to a request that is signed with what `access` has; where that has ended before its time, once more with what comes in its
 * place. Rejects as `send` does.
 */
export async function answered(
  access: Access,
  send: (granted: Granted) => Promise<HttpAnswer>,
  hasEnded: (answer: HttpAnswer) => boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const first = await access.get(signal);
  if ("verdict" in first) return first;
  const answer = without(first.key, await send(first));
  if (!hasEnded(answer) || !access.drop(first.key)) return { answer, isStale: false };
  const second = await access.get(signal);
  if ("verdict" in second) return second;
  if (second.key.token === first.key.token) return { answer, isStale: true };
  const again = without(second.key, await send(second));
  return { answer: again, isStale: hasEnded(again) && access.drop(second.key) };
}

/** What a look showed when there was nothing to look with. */
export function checkOf({ verdict, problem }: Refused): SinkCheck {
  return verdict.kind === "permanent"
    ? { problems: [problem], away: null }
    : { problems: [], away: verdict.detail };
}

/** Credentials that were asked for are no options: the house cannot know them for secrets. A platform repeats what it could not verify. */
function without({ id, secret, token }: AccessKey, answer: HttpAnswer): HttpAnswer {
  const forms = [token, secret, id]
    .flatMap((text) =>
      text === null || text === ""
        ? []
        : [text, encodeURIComponent(text), text.replaceAll("/", "\\/")],
    )
    .filter((form) => answer.text.includes(form));
  if (forms.length === 0) return answer;
  const text = forms.reduce((left, form) => left.replaceAll(form, "<redacted>"), answer.text);
  try {
    return { ...answer, text, json: JSON.parse(text) as unknown };
  } catch {
    return { ...answer, text, json: undefined };
  }
}
