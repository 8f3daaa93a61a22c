import type { Limit } from "./limit.ts";
import type { Mentions } from "./mentions.ts";
import type { Content, Part, Platform, RobotOptions } from "./message.ts";

/** A request as a platform's rules see it. */
export interface Arrival {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bytes: number;
  /** The body as JSON; `undefined` when it is not. */
  readonly json: unknown;
  /** When it came, milliseconds since the epoch. */
  readonly at: number;
  /** What the platform's clock shows then. */
  readonly now: number;
}

/** What the rules know about the robot that got it. */
export interface RobotState {
  readonly options: RobotOptions;
  readonly limit: Limit;
  /** Idempotency keys of what was accepted. */
  readonly seen: ReadonlySet<string>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Judgement =
  | {
      readonly kind: "shown" | "duplicate";
      readonly content: Content;
      readonly idempotencyKey: string | null;
      readonly answer: Answer;
    }
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly message: string;
      /** Milliseconds since the epoch. */
      readonly until?: number;
      readonly answer: Answer;
    };

/** One platform, played: pure but for the robot's limit, which counts. */
export interface PlatformRules {
  readonly platform: Platform;
  /** The token of the robot that is meant; `null` when the request names none. */
  token(arrival: Arrival): string | null;
  readonly limit: () => Limit;
  judge(arrival: Arrival, robot: RobotState): Judgement;
  /** No such robot, or none named. */
  unknown(token: string | null): Judgement;
}

/** A token of the path; `null` where it is no text. */
export function tokenIn(path: RegExp, arrival: Arrival): string | null {
  try {
    return decodeURIComponent(path.exec(arrival.path)?.[1] ?? "") || null;
  } catch {
    return null;
  }
}

export function jsonAnswer(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

export function content(
  type: string,
  title: string | null,
  parts: readonly Part[],
  mentions: Mentions,
  accent: string | null = null,
): Content {
  return {
    type,
    title,
    accent,
    parts,
    mentionsEveryone: mentions.everyone,
    mentions: mentions.who,
  };
}
