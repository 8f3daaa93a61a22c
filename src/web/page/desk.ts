import type { Clock } from "../../clock.ts";
import type { Config, EffectiveOption } from "../../config/config.ts";
import type { Alert } from "../../event/alert.ts";
import type { KubeEvent } from "../../event/event.ts";
import type { HistoryReader } from "../../history/history.ts";
import type { DeliveryRow, Visible } from "../../ledger/ledger.ts";
import type { Html } from "../server.ts";
import type { AuditTrail } from "../auth/audit.ts";
import type { SinkStatus } from "./sinks-page.ts";
import type { TemplatesView } from "./templates-page.ts";
import type { Lang } from "../auth/lang.ts";

export type Sent = Pick<DeliveryRow, "sink" | "sent">;

/** What the page and the API are made from. */
export interface Desk {
  readonly reader: HistoryReader;
  readonly config: Config;
  /** Each option as it counts, and where it comes from. */
  readonly options: () => readonly EffectiveOption[];
  /** @throws Error that says what the text is instead */
  readonly readEvents: (text: string) => readonly KubeEvent[];
  readonly clock: Clock;
  /** Namespaces that events of the history are stored in. */
  readonly namespaces: () => readonly string[] | Promise<readonly string[]>;
  /** What does not work now, in words, a line each: since when, and what still works. */
  readonly troubles: (lang: Lang) => readonly string[];
  readonly sinks: () => readonly SinkStatus[];
  /** Since when everything that happens arrives here, in milliseconds since the epoch; `null`: not known, or another replica watches. */
  readonly watchingSince: () => number | null;
  /** In whatever state; `null`: there is none of this id. */
  readonly delivery: (id: string) => Promise<DeliveryRow | null>;
  /**
   * Owes it again, or takes it off the list for good.
   * @param visible what the caller may change
   * @throws Refusal where it is not given up any more, or cannot be written now
   */
  readonly settleDead: (id: string, act: "retry" | "discard", visible: Visible) => Promise<void>;
  /** What a template of a sink makes of an alert (`null`: an example); nothing is sent. */
  readonly preview: (
    sink: string,
    text: string,
    alert: Alert | null,
  ) => Promise<Pick<TemplatesView, "issues" | "warnings" | "looks">>;
  /** A message that was sent, as the chat showed it; `null`: it is no chat, or too little of it is kept. */
  readonly drawSent: (sent: Sent) => Html | null;
  /** The style sheet of messages as chats show them. */
  readonly chatStyle: string;
  /** The template file that a sink's messages are made from now. */
  readonly templateText: (sink: string) => string;
  readonly audit: AuditTrail;
  /** Ends with the server. */
  readonly signal: AbortSignal;
}

/** How long an answer may take: a part of it comes then, with the advice to refine. */
export const DEADLINE_MS = 1_500;
