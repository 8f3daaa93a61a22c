import {
  accepted,
  Batches,
  fieldsOf,
  type DirectSink,
  type HttpAnswer,
  type HttpRequest,
  type KubeEvent,
  type Message,
  recorded,
  retryable,
  type SinkCheck,
  type SinkIo,
  transportVerdict,
  unlessAborted,
  type Verdict,
  verdictOn,
} from "../../src/sink/index.ts";
import { BULK, judgeBulk, judgeWhole, SIGNATURE, UNMAPPED } from "./answers.ts";
import { signed, type Signing } from "./aws.ts";
import { bulkLines, fitted, indexOf, type Naming, withoutTexts } from "./document.ts";

export interface Target extends Naming {
  /** Base URLs without a slash at the end. */
  readonly nodes: readonly string[];
  readonly authorization: string | null;
  /** `null`: requests are not signed. */
  readonly signing: Signing | null;
  readonly pipeline: string | null;
  /** `null`: none is kept. */
  readonly alias: string | null;
}

const ENDED = retryable("network", "ended while its index was being made");

/** Days and namespaces come and go. */
const REMEMBERED = 2000;

/** What is owed together goes in one bulk request; before the first into an index, the index and its alias. */
export class Writer implements DirectSink {
  readonly #target: Target;
  readonly #io: SinkIo;
  /** Index → what came of making it and its alias; what failed is forgotten. */
  readonly #ready = new Map<string, Promise<Verdict>>();
  readonly #batches: Batches;
  readonly #closing = new AbortController();
  #node = 0;

  constructor(target: Target, io: SinkIo) {
    this.#target = target;
    this.#io = io;
    this.#batches = new Batches(BULK, (request, signal) => this.#exchange(request, signal));
  }

  async deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const event = recorded(message);
    try {
      const prepared = await unlessAborted(() => this.#prepared(event), signal);
      if (prepared?.kind !== "accepted") return prepared ?? ENDED;
      const whole = await this.#write(event, signal);
      const bare = withoutTexts(event);
      const isBare = bare !== event && whole.kind === "permanent" && UNMAPPED.test(whole.detail);
      const verdict = isBare ? await this.#write(bare, signal) : whole;
      if (verdict.kind === "accepted" && (isBare || fitted(event.message) !== event.message))
        this.#io.messageCut();
      return verdict;
    } catch (error) {
      return transportVerdict(error);
    }
  }

  async #write(event: KubeEvent, signal: AbortSignal): Promise<Verdict> {
    const { pipeline, signing } = this.#target;
    // AWS ignores the query of a POST that is signed.
    const isInBody = signing !== null;
    const query = pipeline === null || isInBody ? "" : `?pipeline=${encodeURIComponent(pipeline)}`;
    const body = bulkLines(this.#target, event, isInBody ? pipeline : null);
    const answer = await this.#ask("POST", `/_bulk${query}`, body, signal);
    return verdictOn({ accept: judgeBulk }, answer, this.#io.clock.now());
  }

  async check(signal: AbortSignal): Promise<SinkCheck> {
    let answer: HttpAnswer;
    try {
      answer = await this.#ask("GET", "/", "", signal);
    } catch (error) {
      const verdict = transportVerdict(error);
      return { problems: [], away: verdict.kind === "accepted" ? null : verdict.detail };
    }
    const verdict = judgeWhole(answer);
    const says = (message: string, hint: string | null) => ({
      problems: [{ message, hint }],
      away: null,
    });
    if (verdict.kind === "retryable" || verdict.kind === "throttled")
      return { problems: [], away: verdict.detail };
    const isUnknown = answer.status === 401 || SIGNATURE.test(answer.text);
    if (isUnknown && verdict.kind === "permanent") {
      const [message = "", ...next] = verdict.detail.split("; ");
      return says(message, next.join("; "));
    }
    const version = fieldsOf(fieldsOf(answer.json)?.["version"]);
    const number = version?.["number"];
    // OpenSearch counts anew from 1. What may not be asked, may be written to all the same.
    if (typeof number === "string" && version?.["distribution"] !== "opensearch")
      if (Number.parseInt(number, 10) < 7)
        return says(
          `the server is Elasticsearch ${number}`,
          "Elasticsearch 7 or newer is needed, or OpenSearch",
        );
    return { problems: [], away: null };
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** Once for each index, on behalf of all that go into it. A data stream is made by its template. */
  #prepared(event: KubeEvent): Promise<Verdict> {
    const { alias } = this.#target;
    if (alias === null || this.#target.mode === "data_stream") return Promise.resolve(accepted);
    const index = indexOf(this.#target, event);
    const already = this.#ready.get(index);
    if (already !== undefined) return already;
    if (this.#ready.size >= REMEMBERED) this.#ready.clear();
    const forget = () => {
      if (this.#ready.get(index) === preparing) this.#ready.delete(index);
    };
    const preparing = this.#prepare(index, alias, this.#closing.signal);
    this.#ready.set(index, preparing);
    preparing.then(({ kind }) => kind !== "accepted" && forget(), forget);
    return preparing;
  }

  async #prepare(index: string, alias: string, signal: AbortSignal): Promise<Verdict> {
    const ask = async (method: string, path: string, body: unknown) => {
      const answer = await this.#ask(method, path, JSON.stringify(body), signal);
      const verdict = verdictOn({ accept: judgeWhole }, answer, this.#io.clock.now());
      return { answer, verdict };
    };
    const path = `/${encodeURIComponent(index)}`;
    const made = await ask("PUT", path, { aliases: { [alias]: {} } });
    // Somebody was faster, or it is of kube-eventer's making.
    const isThere = /resource_already_exists_exception|already_exists/.test(made.answer.text);
    if (made.verdict.kind === "accepted" || !isThere) return made.verdict;
    return (await ask("POST", "/_aliases", { actions: [{ add: { index, alias } }] })).verdict;
  }

  #ask(method: string, path: string, body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { authorization } = this.#target;
    const isBulk = path.startsWith("/_bulk");
    const type = isBulk ? "application/x-ndjson" : "application/json";
    const request: HttpRequest = {
      method,
      url: `${this.#current()}${path}`,
      headers: {
        ...(body === "" ? {} : { "content-type": type }),
        ...(authorization === null ? {} : { authorization }),
      },
      body,
    };
    return isBulk ? this.#batches.send(request, signal) : this.#exchange(request, signal);
  }

  /** A node that fails is not asked by the next attempt, if there is another. */
  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const pass = () => {
      if (request.url.startsWith(`${this.#current()}/`)) this.#node += 1;
    };
    const { signing } = this.#target;
    try {
      const outgoing = signing === null ? request : signed(request, signing, this.#io.clock.now());
      const answer = await this.#io.exchange(outgoing, signal);
      if (answer.status >= 502 && answer.status <= 504) pass();
      return answer;
    } catch (error) {
      if (!signal.aborted) pass();
      throw error;
    }
  }

  #current(): string {
    const { nodes } = this.#target;
    return nodes[this.#node % nodes.length] ?? "";
  }
}
