import {
  bodyVerdict,
  codeOf,
  type DirectSink,
  errcodeOf,
  fieldsOf,
  type HttpAnswer,
  type Message,
  retryable,
  type SinkCheck,
  type SinkIo,
  transportVerdict,
  unlessAborted,
  type Verdict,
  verdictOn,
} from "../../src/sink/index.ts";
import { CODES, STALE } from "./codes.ts";
import { type Credentials, TokenSource } from "./token.ts";

/** The longest WeCom remembers (seconds): a retry after a lost answer is the same request and is not shown again. */
const DUPLICATE_CHECK_S = 14_400;
/** Of an answer that says ok: whom it did not reach. */
const MISSED = ["invaliduser", "invalidparty", "invalidtag", "unlicenseduser"] as const;

export interface App extends Credentials {
  readonly agentId: number;
  readonly toUser: readonly string[];
  readonly toParty: readonly string[];
  readonly toTag: readonly string[];
  readonly msgType: "text" | "markdown";
}

/** The body of `message/send`: kube-eventer's fields, and WeCom's own check for what it has shown already. */
export function bodyOf(app: App, blocks: Message["blocks"]): string {
  return JSON.stringify({
    touser: app.toUser.join("|"),
    toparty: app.toParty.join("|"),
    totag: app.toTag.join("|"),
    msgtype: app.msgType,
    agentid: app.agentId,
    [app.msgType]: { content: blocks[app.msgType] ?? "" },
    safe: 0,
    enable_duplicate_check: 1,
    duplicate_check_interval: DUPLICATE_CHECK_S,
  });
}

export class Sender implements DirectSink {
  readonly #app: App;
  readonly #io: SinkIo;
  readonly #tokens: TokenSource;
  #lastMissed = "";

  constructor(app: App, io: SinkIo) {
    this.#app = app;
    this.#io = io;
    this.#tokens = new TokenSource(app, io);
  }

  async deliver({ blocks }: Message, signal: AbortSignal): Promise<Verdict> {
    const body = bodyOf(this.#app, blocks);
    for (let fresh = false; ; fresh = true) {
      const access = await unlessAborted(() => this.#tokens.get(), signal);
      if (access === null) return retryable("network", "ended while waiting for a token");
      if ("verdict" in access) return access.verdict;
      let answer: HttpAnswer;
      try {
        answer = without(access.token, await this.#send(access.token, body, signal));
      } catch (error) {
        return transportVerdict(error);
      }
      const said = errcodeOf(answer);
      if (STALE.has(said.code)) {
        this.#tokens.drop(access.token);
        if (!fresh) continue;
      }
      const accept = () => bodyVerdict(answer, said, CODES);
      const verdict = verdictOn({ accept }, answer, this.#io.clock.now());
      if (verdict.kind === "accepted") this.#tellMissed(answer);
      return verdict;
    }
  }

  async check(signal: AbortSignal): Promise<SinkCheck> {
    const access = await unlessAborted(() => this.#tokens.get(), signal);
    if (access === null) return { problems: [], away: "stopped before WeCom answered" };
    if ("token" in access) return { problems: [], away: null };
    const { verdict, problem } = access;
    return verdict.kind === "permanent"
      ? { problems: [problem], away: null }
      : { problems: [], away: problem.message };
  }

  close(): Promise<void> {
    this.#tokens.close();
    return Promise.resolve();
  }

  #send(token: string, body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const url = `${this.#app.apiUrl}/cgi-bin/message/send?access_token=${encodeURIComponent(token)}`;
    const headers = { "content-type": "application/json; charset=utf-8" };
    return this.#io.exchange({ method: "POST", url, headers, body }, signal);
  }

  /** Some were reached: it is not to be sent again, and yet somebody should know; once, not with every message. */
  #tellMissed(answer: HttpAnswer): void {
    const fields = fieldsOf(answer.json);
    const missed = MISSED.flatMap((name) => {
      const who = codeOf(fields?.[name]) ?? "";
      return who === "" ? [] : [`${name} ${who.slice(0, 200)}`];
    }).join(", ");
    if (missed !== "" && missed !== this.#lastMissed)
      this.#io.warning(
        `WeCom did not reach everybody: ${missed}; check to_user, to_party and to_tag, the app's visible range and its licences`,
      );
    this.#lastMissed = missed;
  }
}

/** The token is no option: the house cannot know it for a secret. */
function without(token: string, answer: HttpAnswer): HttpAnswer {
  const hidden = [token, encodeURIComponent(token)];
  if (!hidden.some((form) => answer.text.includes(form))) return answer;
  const text = hidden.reduce((left, form) => left.replaceAll(form, "<redacted>"), answer.text);
  try {
    return { ...answer, text, json: JSON.parse(text) as unknown };
  } catch {
    return { ...answer, text, json: undefined };
  }
}
