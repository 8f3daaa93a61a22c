import type { CodeTable } from "../../src/sink/index.ts";

/** WeCom's global error codes, https://developer.work.weixin.qq.com/document/path/90313. */
export const CODES: CodeTable = {
  "-1": { kind: "retryable", reason: "server", next: "" },
  "40001": auth("check `corp_secret`: it is the app's own, and the app must be enabled"),
  "40091": auth("check `corp_secret`: it is the app's own, and the app must be enabled"),
  "41004": auth("`corp_secret` is empty"),
  "40013": auth("check `corp_id` (My Company → Company ID)"),
  "40056": auth("check `agent_id`"),
  "41011": auth("check `agent_id`"),
  "301002": auth("`agent_id` and `corp_secret` are of two apps; take both from one"),
  "48002": auth("the app may not use this API; check its permissions in the admin console"),
  "60020": auth("add the address this machine is seen with to the app's trusted IP addresses"),
  "40003": receivers("check `to_user`"),
  "40031": receivers("check `to_user`"),
  "40032": receivers("at most 1000 members in `to_user`"),
  "60011": receivers(
    "the app's visible range must hold whom `to_user`, `to_party` or `to_tag` name",
  ),
  "81013": receivers(
    "none of `to_user`, `to_party` and `to_tag` exists in the app's visible range, or none has a licence",
  ),
  "82001": receivers("`to_user`, `to_party` and `to_tag` name nobody"),
  "40033": { kind: "permanent", reason: "rejected", next: "" },
  "40058": { kind: "permanent", reason: "rejected", next: "" },
  "44004": { kind: "permanent", reason: "rejected", next: "the template's block is empty" },
  "45002": { kind: "permanent", reason: "tooLarge", next: "" },
  "45009": { kind: "throttled", retryAfterMs: null, next: "" },
  "45033": { kind: "throttled", retryAfterMs: 5000, next: "" },
  // Only after a fresh token was refused, too.
  "40014": { kind: "retryable", reason: "auth", next: "a fresh token was refused, too" },
  "42001": { kind: "retryable", reason: "auth", next: "a fresh token was refused, too" },
};

/** A token that has expired, or that WeCom took back before its time. */
export const STALE: ReadonlySet<string | null> = new Set(["40014", "42001"]);

function auth(next: string) {
  return { kind: "permanent", reason: "auth", next } as const;
}

function receivers(next: string) {
  return { kind: "permanent", reason: "config", next } as const;
}
