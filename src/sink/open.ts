import { Batches, type Exchange } from "./batch.ts";
import type {
  HttpAnswer,
  HttpRequest,
  Message,
  SinkDefinition,
  SinkIo,
  SinkCheck,
} from "./define.ts";
import type { HttpClient } from "./http.ts";
import { redact, secretsOf } from "./redact.ts";
import { retryAfterMs } from "./status.ts";
import { TransportError, transportVerdict } from "./transport.ts";
import { permanent, retryable, throttled, type Verdict } from "./verdict.ts";

/** What came of one attempt, and the two texts the history keeps of it. */
export interface Told {
  readonly verdict: Verdict;
  /** The request's body, or as much of it as history needs; without secrets. Empty where there was none. */
  readonly sent: string;
  /** `HTTP 200: {"errcode":0,…}`, shortened and without secrets; empty where no answer came. */
  readonly answer: string;
  /** The caller's signal ended it: nobody's fault and not to be counted. */
  readonly aborted: boolean;
}

/** A sink instance ready to send: never throws, never rejects. */
export interface OpenSink {
  /**
   * @param now milliseconds since the epoch: signatures are made anew at each attempt.
   * @param built the request that composing made of the message a moment ago, so that it is not built twice
   */
  tell(
    message: Message,
    now: number,
    signal: AbortSignal,
    built?: HttpRequest | null,
  ): Promise<Told>;
  /** `null` where the sink has no harmless way to know. */
  check(signal: AbortSignal): Promise<SinkCheck | null>;
  close(): Promise<void>;
}

export interface SinkParts extends Omit<SinkIo, "exchange"> {
  readonly client: HttpClient;
  readonly timeoutMs: number;
}

const SENT_CHARACTERS = 2048;
const ANSWER_CHARACTERS = 300;

/** @param options as the definition's schema gave them. */
export function openSink(
  definition: SinkDefinition,
  options: Readonly<Record<string, unknown>>,
  parts: SinkParts,
): OpenSink {
  const secrets = secretsOf(options);
  const clean = (text: string) => redact(text, secrets);
  const done = (verdict: Verdict, sent: string, answer = "", aborted = false): Told => ({
    verdict,
    sent: clean(sent.slice(0, 4 * SENT_CHARACTERS)).slice(0, SENT_CHARACTERS),
    answer,
    aborted,
  });

  if (definition.transport === "direct") {
    const sink = definition.create(options, {
      ...parts,
      exchange: async (request, signal) => {
        const { timeoutMs } = parts;
        return cleanAnswer(await parts.client.exchange(request, { timeoutMs, signal }), clean);
      },
    });
    return {
      async tell(message, _now, signal) {
        try {
          const verdict = cleanVerdict(await sink.deliver(message, signal), clean);
          return done(verdict, "", "", verdict.kind !== "accepted" && signal.aborted);
        } catch {
          return done(retryable("unknown", `sink ${definition.type} failed`), "");
        }
      },
      async check(signal) {
        const found = await sink.check?.(signal);
        if (found === undefined) return null;
        const problems = found.problems.map(({ message, hint }) => ({
          message: clean(message),
          hint: hint === null ? null : clean(hint),
        }));
        return { problems, away: found.away === null ? null : clean(found.away) };
      },
      close: () => sink.close(),
    };
  }

  const { client, timeoutMs } = parts;
  const alone: Exchange = (request, signal) => client.exchange(request, { timeoutMs, signal });
  const batches = definition.batch && new Batches(definition.batch, alone);
  const exchange: Exchange = batches ? (...args) => batches.send(...args) : alone;
  return {
    async tell(message, now, signal, built = null) {
      let request;
      try {
        request = built ?? definition.request(options, message, now);
      } catch {
        // The error may quote the message or an option; which sink and which message is known to the caller.
        return done(permanent("template", "the request could not be built from the message"), "");
      }
      try {
        const raw = await exchange(request, signal);
        const answer = cleanAnswer(raw, clean);
        const shown = `HTTP ${answer.status}: ${answer.text.slice(0, ANSWER_CHARACTERS)}`;
        return done(verdictOn(definition, answer, now), request.body, shown);
      } catch (error) {
        const aborted = error instanceof TransportError && error.wasAborted;
        return done(transportVerdict(error), request.body, "", aborted);
      }
    },
    check: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

/**
 * What an answer means, with the wait the server asks for: `Retry-After` makes a refusal that may pass one that pauses the lane.
 * @param now milliseconds since the epoch, for a `Retry-After` that is a date.
 */
export function verdictOn(
  definition: { accept(answer: HttpAnswer): Verdict },
  answer: HttpAnswer,
  now: number,
): Verdict {
  const verdict = acceptSafely(definition, answer);
  if (verdict.kind !== "throttled" && verdict.kind !== "retryable") return verdict;
  const asked =
    (verdict.kind === "throttled" ? verdict.retryAfterMs : null) ??
    retryAfterMs(answer.headers["retry-after"], now);
  return asked === null ? verdict : throttled(asked, verdict.detail);
}

function acceptSafely(
  definition: { accept(answer: HttpAnswer): Verdict },
  answer: HttpAnswer,
): Verdict {
  try {
    return definition.accept(answer);
  } catch {
    return retryable("unknown", `HTTP ${answer.status} with an answer the sink could not read`);
  }
}

/** What a server said may repeat what it was sent. */
function cleanVerdict(verdict: Verdict, clean: (text: string) => string): Verdict {
  return verdict.kind === "accepted" ? verdict : { ...verdict, detail: clean(verdict.detail) };
}

/**
 * Cleaned before anyone quotes from it: a cut could leave half a secret that is no longer recognised. JSON keeps its form, whatever the secret:
 * a password that is a word of the platform's own ("items") must not make an answer unreadable. Of a success nobody quotes a header.
 */
function cleanAnswer(answer: HttpAnswer, clean: (text: string) => string): HttpAnswer {
  const text = clean(answer.text);
  const headers = answer.status < 300 ? answer.headers : cleanValues(answer.headers, clean);
  if (text === answer.text && headers === answer.headers) return answer;
  return { ...answer, headers, text, json: cleanJson(answer.json, clean) };
}

function cleanValues(
  headers: HttpAnswer["headers"],
  clean: (text: string) => string,
): HttpAnswer["headers"] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, clean(value)]));
}

/** What is deeper than any platform's answer is left out. */
const DEEPEST = 32;

/** The strings in it; names and numbers are quoted by nobody. */
function cleanJson(value: unknown, clean: (text: string) => string, depth = 0): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, clean, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, cleanJson(item, clean, depth + 1)]),
  );
}
