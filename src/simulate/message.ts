import type { Block } from "./marks.ts";

export const PLATFORMS = ["dingtalk", "lark", "wecom", "slack", "hook"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** A robot of one platform: what a webhook URL stands for. */
export interface RobotOptions {
  readonly platform: Platform;
  /**
   * What the URL carries: DingTalk's `access_token`, Lark's hook id, WeCom's `key`, Slack's `T…/B…/X…` (or, for
   * chat.postMessage, the channel), the rest of the path of a generic hook.
   */
  readonly token: string;
  /** Shown on the page instead of the token. */
  readonly name?: string;
  /** DingTalk, Lark: signatures are asked for. Slack's chat.postMessage: the only bearer token accepted. */
  readonly secret?: string;
  /** DingTalk, Lark: one of them must be in the text. */
  readonly keywords?: readonly string[];
}

/** A piece of a message as it stands in the chat, from top to bottom. */
export type Part =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "blocks"; readonly blocks: readonly Block[]; readonly fine: boolean }
  | { readonly kind: "divider" }
  | { readonly kind: "buttons"; readonly buttons: readonly Button[] }
  | { readonly kind: "columns"; readonly columns: readonly (readonly Part[])[] };

export interface Button {
  readonly label: string;
  readonly url: string | null;
}

/** What the platform made of a request it accepted. */
export interface Content {
  /** The platform's own word: `markdown`, `interactive`, `blocks`, … */
  readonly type: string;
  /** What a phone's notification shows; `null` where the platform shows the text. */
  readonly title: string | null;
  /** `#rrggbb`: the colour of a card's header or an attachment's bar. */
  readonly accent: string | null;
  readonly parts: readonly Part[];
  readonly mentionsEveryone: boolean;
  /** User ids, mobiles, mail addresses or groups that are notified. */
  readonly mentions: readonly string[];
}

export interface Refusal {
  /** The platform's own: `130101`, `invalid_blocks`, or an HTTP status for an injected outage. */
  readonly code: string;
  readonly message: string;
  /** ISO-8601 UTC: nothing is accepted before; `null` where waiting is not the remedy. */
  readonly until: string | null;
}

/** One request a robot got, and what became of it. */
export interface ReceivedMessage {
  /** 1, 2, 3, … over all robots. */
  readonly id: number;
  /** ISO-8601 UTC. */
  readonly at: string;
  readonly platform: Platform;
  /** `PLATFORM/TOKEN`. */
  readonly robot: string;
  /**
   * `shown` in the chat; `duplicate`: answered as a success, not shown again; `refused` by the platform's rules;
   * `failed`: an injected fault.
   */
  readonly state: "shown" | "duplicate" | "refused" | "failed";
  readonly refusal: Refusal | null;
  readonly type: string;
  readonly title: string | null;
  /** All that a person reads below a card's title: markup taken away, entities decoded, one line a paragraph. */
  readonly text: string;
  readonly mentionsEveryone: boolean;
  readonly mentions: readonly string[];
  /** Targets behind link markup and buttons. A bare URL in the text is not one: it shows where it leads. */
  readonly links: readonly string[];
  /** DingTalk's msgUuid, or the Idempotency-Key header. */
  readonly idempotencyKey: string | null;
  readonly request: {
    readonly method: string;
    /** Path and query. */
    readonly path: string;
    /** Lower-case names. */
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    /** Of the body. */
    readonly bytes: number;
  };
  readonly answer: { readonly status: number; readonly body: string } | null;
  /** For drawing; empty unless shown. */
  readonly parts: readonly Part[];
  readonly accent: string | null;
}

/** As `/messages.json` gives it: without what is only for drawing. */
export function forPrograms(message: ReceivedMessage): Omit<ReceivedMessage, "parts" | "accent"> {
  return { ...message, parts: undefined, accent: undefined } as Omit<
    ReceivedMessage,
    "parts" | "accent"
  >;
}
