import {
  type HttpAnswer,
  retryable,
  type SinkIo,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";

/** A pod may be too many hops away for an answer to come, which must not hold up the start. */
const WITHIN_MS = 2000;
/** For the few requests that follow; 1 to 21600 are allowed. */
const TOKEN_S = "60";
/** What it says fits into a few kilobytes: more is somebody else's. */
const MOST = 64 * 1024;

export type Io = Pick<SinkIo, "clock" | "exchange">;

/** An item's text; `null`: the instance has none. */
export type Item = { readonly text: string | null } | { readonly failure: string };

/**
 * The metadata service of an ECS instance, in security hardening mode where it can be had:
 * https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
 */
export class Metadata {
  readonly #origin: string;
  readonly #io: Io;
  readonly #signal: AbortSignal;

  constructor(origin: string, io: Io, signal: AbortSignal) {
    this.#origin = origin.replace(/\/+$/, "");
    this.#io = io;
    this.#signal = signal;
  }

  /** What answers for items: with a token of its own, for as long as that is good. */
  async session(): Promise<(path: string) => Promise<Item>> {
    const ttl = { "x-aliyun-ecs-metadata-token-ttl-seconds": TOKEN_S };
    const given = await this.#ask("PUT", "/latest/api/token", ttl);
    const token = "status" in given && given.status === 200 ? given.text.trim() : "";
    // Where there is none – an old image, a pod beyond the hop limit of PUT – the normal mode may still be open.
    const headers = /^[!-~]{1,4096}$/.test(token) ? { "x-aliyun-ecs-metadata-token": token } : {};
    return (path) => this.#item(path, headers);
  }

  async #item(path: string, headers: Readonly<Record<string, string>>): Promise<Item> {
    const where = `the metadata service at ${this.#origin}`;
    const answer = await this.#ask("GET", `/latest/meta-data/${path}`, headers);
    if ("kind" in answer) return { failure: `${where} does not answer: ${detailOf(answer)}` };
    if (answer.status === 404) return { text: null };
    if (answer.status !== 200)
      return { failure: `${where} answers HTTP ${answer.status} to ${path}${hardened(headers)}` };
    if (answer.text.length > MOST) return { failure: `${where} answers ${path} with a flood` };
    return { text: answer.text.trim() };
  }

  async #ask(
    method: "GET" | "PUT",
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer | Verdict> {
    const { clock, exchange } = this.#io;
    const late = new AbortController();
    const done = new AbortController();
    const timing = async () => {
      await clock.sleep(WITHIN_MS, done.signal);
      if (!done.signal.aborted) late.abort();
    };
    void timing();
    const request = { method, url: this.#origin + path, headers, body: "", direct: true };
    try {
      return await exchange(request, AbortSignal.any([late.signal, this.#signal]));
    } catch (error) {
      if (late.signal.aborted) return retryable("timeout", `nothing within ${WITHIN_MS} ms`);
      return transportVerdict(error);
    } finally {
      done.abort();
    }
  }
}

function detailOf(verdict: Verdict): string {
  return verdict.kind === "accepted" ? "" : verdict.detail;
}

function hardened(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).length > 0 ? "" : ", and gave no token for its hardened mode";
}
