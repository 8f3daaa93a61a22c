import type { Clock } from "../clock.ts";
import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Severity } from "../event/severity.ts";
import type { OptionsOf, OptionsSchema } from "./schema.ts";
import type { Verdict } from "./verdict.ts";

/** How `{{x}}` is escaped where it stands: the rules of the place the text will be read in. */
export type Medium = "text" | "markdown" | "slack" | "lark" | "wecom" | "json" | "html";

/** A sliding window: at most `count` requests in any `perMs` milliseconds. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** How much of something the platform takes: UTF-8 bytes or characters (Unicode code points). */
export interface Size {
  readonly max: number;
  readonly unit: "bytes" | "characters";
}

export interface Limits {
  /** All must hold; the first is the one p-queue enforces. Empty: no budget. */
  readonly rates: readonly Rate[];
  readonly concurrency: number;
  /** The whole request body. */
  readonly body: Size | null;
  /** Rendered blocks, by name. */
  readonly blocks: Readonly<Record<string, Size>>;
  /** How long the lane pauses on `throttled(null)`. */
  readonly throttledMs: number;
}

/** What a sink is given to translate. Its text fits the declared limits already. */
export interface Message {
  /** The idempotency key: the same over every retry of one delivery. */
  readonly id: string;
  readonly severity: Severity;
  readonly lang: "en" | "zh";
  /** The rendered blocks, escaped for their medium. */
  readonly blocks: Readonly<Record<string, string>>;
  readonly alert: Alert;
  /** The occurrence, for `alert.kind === "event"`. */
  readonly event: KubeEvent | null;
}

export interface HttpRequest {
  /** In capital letters. */
  readonly method: string;
  /** With token and signature: never printed. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a sink that delivers itself may send: bytes, too. */
export interface Outgoing extends Omit<HttpRequest, "body"> {
  readonly body: string | Buffer;
  /** Never by a proxy: it is for this machine alone. */
  readonly direct?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MB of the body. */
  readonly text: string;
  /** There was more of it. */
  readonly isCut?: true;
  /** The body as JSON; `undefined` when it is not. */
  readonly json: unknown;
}

/** Several deliveries in one request, where the platform takes that and answers for each. What one would be alone stays whole in it. */
export interface HttpBatch {
  /** Deliveries in a request. */
  readonly max: number;
  /** UTF-8 bytes of its body. */
  readonly bytes: number;
  /** One body out of those of two or more requests that are alike but for their bodies. */
  join(bodies: readonly string[]): string;
  /** What the answer says of each, in their order, as if it had been asked alone; `null` where it speaks of the request as a whole. Never throws. */
  split(answer: HttpAnswer, count: number): readonly HttpAnswer[] | null;
}

/** An answer the platform is known to give, and what it must be taken for: conformance tests send each. */
export interface AnswerSample {
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly expect: Verdict["kind"];
  /** The page or issue that documents it. */
  readonly source: string;
}

/** How a `--sink=TYPE:URI` becomes options. */
export interface UriMapping {
  /** The option that takes the URI itself, without the query parameters that are options; `null`: the URI has no address (stdout). */
  readonly target: string | null;
  /** Query parameters that belong to the address and stay in it (`access_token`). `"*"`: all that are no option. */
  readonly keep: readonly string[] | "*";
  /** Parameters of kube-eventer's that change nothing here, and why: taken, and said at the start. */
  readonly ignored?: Readonly<Record<string, string>>;
  /** The address may begin with a question mark, as kube-eventer writes a Go DSN: `mysql:?user:password@tcp(host)/db?…`. */
  readonly dsn?: true;
  /** An address that leads nowhere, which a documentation writes to have one: as good as none. */
  readonly nowhere?: RegExp;
  /** Where the platform's robots are, by host and the beginning of the path: a webhook to one keeps its rates and understands its answers. */
  readonly robots?: { readonly hosts: readonly string[]; readonly path: string };
  /** An address that kube-eventer takes for https, whatever it says. */
  readonly alwaysHttps?: RegExp;
  /** The option that counts in place of the address where both are given. */
  readonly yieldsTo?: string;
  /** The address is a connection string, before which kube-eventer writes a question mark: `mongo:?mongodb://user:password@host/?…`. */
  readonly rawQuery?: true;
}

/** What a person who chooses a sink asks: cells of the table in sinks/README.md. */
export interface SinkFacts {
  readonly kind:
    | "chat"
    | "HTTP"
    | "output"
    | "database"
    | "search"
    | "logs"
    | "stream"
    | "observability";
  /** How it is shown who asks. */
  readonly auth: string;
  /** What becomes of an occurrence that is sent again because its answer was lost. */
  readonly idempotency: string;
  /** What goes in one request, and who is told what of it failed. */
  readonly batch: string;
  /** What the tests of this repository speak to. */
  readonly testedAgainst: string;
}

/** An event in kube-eventer's words, each made inert for the medium of the block it goes into; labels are as the user wrote them. */
export interface StrictEvent {
  readonly labels: readonly string[];
  readonly type: string;
  /** The object's. */
  readonly kind: string;
  /** The Event's own, as its name is: of a Node `default` and `node-3.17a2`. */
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  /** As Go prints it in the configured zone: `2026-11-20 16:05:30.123456 +0800 CST`. */
  readonly time: string;
  readonly message: string;
  /** The node it was reported from; may be empty. */
  readonly host: string;
}

/** What a sink does with `compat: strict`: what kube-eventer did. It holds for events; kube-eventer had no digests and no gaps. */
export interface StrictForm<T extends OptionsSchema> {
  /** What is as it was, and what of it is mended: a paragraph of sinks/README.md. */
  readonly about: string;
  /** kube-eventer's defaults where ours differ, as a person would write them. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Blocks in kube-eventer's layout; the others are the template's. */
  blocks(options: OptionsOf<T>): Readonly<Record<string, StrictBlock>>;
}

export interface HttpStrictForm<T extends OptionsSchema> extends StrictForm<T> {
  request(options: OptionsOf<T>, message: Message, now: number): HttpRequest;
}

export interface StrictBlock {
  readonly medium: Medium;
  write(event: StrictEvent): string;
}

interface Definition<T extends OptionsSchema> {
  /** Lower-case, as in `--sink=TYPE:…`; equals the file's name. */
  readonly type: string;
  readonly title: string;
  /** One sentence for the table of sinks. */
  readonly summary: string;
  /** The platform's own documentation. */
  readonly docs: string;
  readonly facts: SinkFacts;
  readonly options: T;
  /** The level of an instance that is told none. Absent: `Warning`, as a chat wants it; programs want `Normal`, which is everything. */
  readonly defaultLevel?: "Normal" | "Warning";
  /** A record keeps every event: what exceeds a rate waits and is never folded into a digest. */
  readonly isRecord?: true;
  readonly uri: UriMapping;
  /** Used in docs, the example configuration and the conformance suite. The URI form and the YAML form of the same sink; secrets are made up. */
  readonly example: { readonly uri: string; readonly yaml: Readonly<Record<string, unknown>> };
  /** The blocks to render, with the medium of each. The template must define them. */
  blocks(options: OptionsOf<T>): Readonly<Record<string, Medium>>;
  limits(options: OptionsOf<T>): Limits;
  /** Whom the platform counts by: several sinks for which this is the same share its rates. A secret. Absent: each sink has its own. */
  robot?(options: OptionsOf<T>): string;
  /** Of a webhook to a robot: the type of the sink that is made for it, with which it shares the rates. */
  readonly robotOf?: string;
  /** Absent: nothing is different. */
  readonly strict?: StrictForm<T>;
  /** A body of the user's own, rendered as the block `body` (webhook): where it is to be read from, and what it is written in. */
  bodyTemplate?(options: OptionsOf<T>): BodyTemplate | null;
}

export type BodyTemplate = (
  | { readonly file: string }
  | { readonly configMap: string; readonly namespace: string; readonly key: string }
) & {
  /** `null`: the body itself tells. */
  readonly engine: BodyEngine | null;
  /** What it gives: JSON is checked before it is sent. `null`: the body itself tells. */
  readonly format: "json" | "text" | null;
};

/** Handlebars over the view of every template, or Go's text/template over a core/v1 Event. */
export type BodyEngine = "handlebars" | "go";

/** A sink that speaks HTTP: two pure functions. */
export interface HttpSinkDefinition<T extends OptionsSchema = OptionsSchema> extends Definition<T> {
  readonly transport: "http";
  readonly strict?: HttpStrictForm<T>;
  /** @param now milliseconds since the epoch: a queued message is signed anew at each attempt. */
  request(options: OptionsOf<T>, message: Message, now: number): HttpRequest;
  /** Judges an answer that arrived, whatever its status; never throws. Call `statusVerdict` for what is not special. */
  accept(answer: HttpAnswer): Verdict;
  /** Absent: a request for each delivery. */
  readonly batch?: HttpBatch;
  /** At least one that is HTTP 200 and yet refused, or `refusesWith200: false`. */
  readonly samples: readonly AnswerSample[];
  readonly refusesWith200: boolean;
}

/** Anything else (stdout, a database). */
export interface DirectSinkDefinition<
  T extends OptionsSchema = OptionsSchema,
> extends Definition<T> {
  readonly transport: "direct";
  create(options: OptionsOf<T>, io: SinkIo): DirectSink;
}

export interface SinkIo {
  readonly stdout: NodeJS.WritableStream;
  readonly clock: Clock;
  /**
   * One request by the house's HTTP client, within the sink's `timeout`: what comes back has none of the options' secrets in it.
   * Rejects with what `transportVerdict` judges.
   */
  exchange(request: Outgoing, signal: AbortSignal): Promise<HttpAnswer>;
  /** Work in the background that went well. */
  notice(message: string): void;
  /** What a person should know; never with a secret in it. */
  warning(message: string): void;
  /** Text was cut to what the other side can hold. */
  messageCut(): void;
}

/** What waiting cannot cure, and what would. */
export interface SinkProblem {
  readonly message: string;
  readonly hint: string | null;
}

/** What a look at the other side showed. */
export interface SinkCheck {
  readonly problems: readonly SinkProblem[];
  /** Why it does not answer now, which may pass: it is waited for. `null`: it answers. */
  readonly away: string | null;
}

export interface DirectSink {
  deliver(message: Message, signal: AbortSignal): Promise<Verdict>;
  /** Before anything is delivered; changes nothing over there and never rejects. */
  check?(signal: AbortSignal): Promise<SinkCheck>;
  close(): Promise<void>;
}

export type SinkDefinition = HttpSinkDefinition | DirectSinkDefinition;

/** Declares an HTTP sink; infers the options' type for `request`. */
export function defineHttpSink<T extends OptionsSchema>(
  definition: Omit<HttpSinkDefinition<T>, "transport">,
): HttpSinkDefinition {
  return { ...definition, transport: "http" } as unknown as HttpSinkDefinition;
}

/** Declares a sink that is not an HTTP request. */
export function defineSink<T extends OptionsSchema>(
  definition: Omit<DirectSinkDefinition<T>, "transport">,
): DirectSinkDefinition {
  return { ...definition, transport: "direct" } as unknown as DirectSinkDefinition;
}
