import { unlimited } from "./limit.ts";
import { NOBODY } from "./mentions.ts";
import type { Part } from "./message.ts";
import { plainPart } from "./parts.ts";
import { content, jsonAnswer, type PlatformRules, tokenIn } from "./platform.ts";

const SHOWN_CHARACTERS = 20_000;
/** What nests deeper is not laid out: that would take the square of it. */
const MAX_DEPTH = 100;

/** Any other receiver: takes whatever comes by whatever method at `/hook/…` and shows it. */
export const hook: PlatformRules = {
  platform: "hook",
  token: (arrival) =>
    tokenIn(/^\/hook\/?(.*)$/, arrival) ?? (arrival.path.replace(/^\/hook\/?/, "") || "default"),
  limit: () => unlimited,
  unknown: () => ({
    kind: "refused",
    code: "404",
    message: "no such hook",
    answer: { status: 404, body: "no such hook\n" },
  }),
  judge(arrival) {
    const parts: Part[] = [
      plainPart(
        [arrival.method, arrival.path, arrival.headers["content-type"] ?? ""].join(" ").trim(),
        true,
      ),
    ];
    const text =
      arrival.json !== undefined && isWithin(MAX_DEPTH, arrival.json)
        ? JSON.stringify(arrival.json, undefined, 2)
        : arrival.body;
    if (text !== "")
      parts.push({
        kind: "blocks",
        blocks: [{ kind: "code", text: text.slice(0, SHOWN_CHARACTERS) }],
        fine: false,
      });
    return {
      kind: "shown",
      content: content(arrival.method, null, parts, NOBODY),
      idempotencyKey: arrival.headers["idempotency-key"] ?? null,
      answer: jsonAnswer({ ok: true }),
    };
  },
};

function isWithin(depth: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(depth - 1, inner));
}
