import {
  bodyVerdict,
  codeOf,
  errcodeOf,
  fieldsOf,
  type HttpAnswer,
  permanent,
  type SinkIo,
  type SinkProblem,
  transportVerdict,
  type Verdict,
  verdictOn,
} from "../../src/sink/index.ts";
import { CODES } from "./codes.ts";

/** Renewed so long before it expires that a message on its way does not meet its end. */
const MARGIN_MS = 5 * 60_000;

export interface Credentials {
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly corpId: string;
  readonly corpSecret: string;
}

export type Access =
  | { readonly token: string }
  | { readonly verdict: Verdict; readonly problem: SinkProblem };

interface Kept {
  readonly token: string;
  readonly until: number;
}

/** The app's access token: asked for once, however many wait for it, and kept while it is good. */
export class TokenSource {
  readonly #credentials: Credentials;
  readonly #io: Pick<SinkIo, "clock" | "exchange">;
  readonly #closing = new AbortController();
  #kept: Kept | null = null;
  #asking: Promise<Access> | null = null;

  constructor(credentials: Credentials, io: Pick<SinkIo, "clock" | "exchange">) {
    this.#credentials = credentials;
    this.#io = io;
  }

  get(): Promise<Access> {
    const kept = this.#kept;
    if (kept !== null && this.#io.clock.now() < kept.until)
      return Promise.resolve({ token: kept.token });
    // The request belongs to all who wait for it: none of them may take it with him when he goes.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** WeCom no longer takes it; what has come in its place meanwhile stays. */
  drop(token: string): void {
    if (this.#kept?.token === token) this.#kept = null;
  }

  close(): void {
    this.#closing.abort();
    this.#kept = null;
  }

  async #ask(): Promise<Access> {
    const { apiUrl, corpId, corpSecret } = this.#credentials;
    const query = `corpid=${encodeURIComponent(corpId)}&corpsecret=${encodeURIComponent(corpSecret)}`;
    const asked = this.#io.clock.now();
    let answer: HttpAnswer;
    try {
      answer = await this.#io.exchange(
        { method: "GET", url: `${apiUrl}/cgi-bin/gettoken?${query}`, headers: {}, body: "" },
        this.#closing.signal,
      );
    } catch (error) {
      return refused(transportVerdict(error), null);
    }
    const fields = fieldsOf(answer.json);
    const token = fields?.["access_token"];
    const said = errcodeOf(answer);
    if (said.ok && typeof token === "string" && token !== "") {
      const lifeMs = Number(codeOf(fields?.["expires_in"]) ?? 7200) * 1000;
      // A token that lives shorter than the margin is still good for half its life.
      const until = asked + Math.max(lifeMs - MARGIN_MS, lifeMs / 2);
      this.#kept = { token, until };
      return { token };
    }
    const accept = () =>
      said.ok
        ? permanent("rejected", "WeCom's answer has no access_token; check `api_url`")
        : bodyVerdict(answer, said, CODES);
    return refused(verdictOn({ accept }, answer, asked), said.code);
  }
}

function refused(verdict: Verdict, code: string | null): Access {
  const detail = verdict.kind === "accepted" ? "" : verdict.detail;
  const next = code === null ? "" : (CODES[code]?.next ?? "");
  const message = `WeCom gives no access token: ${detail.replace(`; ${next}`, "")}`;
  return { verdict, problem: { message, hint: next === "" ? null : next } };
}
