import type { FailureReason } from "../event/reason.ts";
import type { AnswerSample, HttpAnswer } from "./define.ts";
import { statusVerdict } from "./status.ts";
import { accepted, permanent, retryable, throttled, type Verdict } from "./verdict.ts";

/** What one of a platform's codes means. */
export type Meaning = {
  /** What a person should do about it; empty where nothing is to be done. */
  readonly next: string;
} & (
  | { readonly kind: "retryable" | "permanent"; readonly reason: FailureReason }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null }
);

export type CodeTable = Readonly<Record<string, Meaning>>;

/** How a platform says in the body how it went. */
export interface Said {
  /** The platform's code; `null`: the body does not say. */
  readonly code: string | null;
  readonly ok: boolean;
  readonly text: string;
}

/**
 * The verdict of a platform that answers HTTP 200 to everything and says in the body how it went.
 * A known code counts whatever the status; otherwise a status that is no 2xx speaks for itself. An unknown code is tried again a few times.
 * A 2xx whose body is not the platform's comes from something in between, and the message did not arrive.
 */
export function bodyVerdict(answer: HttpAnswer, said: Said, table: CodeTable): Verdict {
  const success = answer.status >= 200 && answer.status < 300;
  if (success && said.ok) return accepted;
  const meaning = said.code === null ? undefined : table[said.code];
  if (meaning !== undefined) {
    const next = meaning.next === "" ? "" : `; ${meaning.next}`;
    const detail = `${quoted(said)}${next}`;
    switch (meaning.kind) {
      case "retryable":
        return retryable(meaning.reason, detail);
      case "permanent":
        return permanent(meaning.reason, detail);
      case "throttled":
        return throttled(meaning.retryAfterMs, detail);
    }
  }
  if (!success) return statusVerdict(answer);
  if (said.code !== null) return retryable("unknown", quoted(said));
  return retryable(
    "server",
    `HTTP ${answer.status}, but not the platform's own answer: ${answer.text.slice(0, 120)}`,
  );
}

/** The code and the platform's words for it, if it has any. */
function quoted({ code, text }: Said): string {
  return `${code} ${text.slice(0, 200)}`.trimEnd();
}

/** A JSON object's fields; `null` for anything else. */
export function fieldsOf(json: unknown): Readonly<Record<string, unknown>> | null {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as Readonly<Record<string, unknown>>)
    : null;
}

/** A number or text as text; `null` for anything else. */
export function codeOf(value: unknown): string | null {
  return typeof value === "number" || typeof value === "string" ? String(value) : null;
}

/** Of `errcode`/`errmsg`, as DingTalk and WeCom say it. */
export function errcodeOf(answer: HttpAnswer): Said {
  const fields = fieldsOf(answer.json);
  const code = codeOf(fields?.["errcode"]);
  return { code, ok: code === "0", text: codeOf(fields?.["errmsg"]) ?? "" };
}

/** A sample of an answer with HTTP 200, as most of what chat platforms say is. */
export function said(
  name: string,
  body: unknown,
  expect: Verdict["kind"],
  source: string,
): AnswerSample {
  return { name, status: 200, body, expect, source };
}
