import { deflateSync } from "node:zlib";
import {
  type DirectSink,
  Gatherer,
  type HttpAnswer,
  type Message,
  recorded,
  retryable,
  type SinkCheck,
  type SinkIo,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import {
  type Access,
  answered,
  checkOf,
  type Granted,
  type Outcome,
  STALE,
} from "../aliyun/access.ts";
import { CODES, hasEnded, saidBy, verdictOf } from "./answers.ts";
import { type Fields, logOf } from "./log.ts";
import { encodeGroup } from "./protobuf.ts";
import { signed } from "./sign.ts";

/** Well inside of what PutLogs takes: 4096 logs, 3 MB in its strictest version. */
const MOST = 1000;
const BYTES = 2_500_000;

export interface Logstore {
  placeIn(region: string): Place;
  readonly name: string;
  readonly topic: string;
  readonly label: Fields;
  readonly compress: "deflate" | "none";
}

interface Place {
  /** Where requests go: `https://PROJECT.cn-hangzhou.log.aliyuncs.com`. */
  readonly origin: string;
  /** Whom they are for, where the address does not say it. */
  readonly host: string | null;
}

export class Writer implements DirectSink {
  readonly #store: Logstore;
  readonly #access: Access;
  readonly #io: SinkIo;
  readonly #gatherer: Gatherer<Buffer>;

  constructor(store: Logstore, access: Access, io: SinkIo) {
    this.#store = store;
    this.#access = access;
    this.#io = io;
    this.#gatherer = new Gatherer({
      most: MOST,
      size: BYTES,
      sizeOf: (log) => log.length,
      send: (logs, signal) => this.#put(logs, signal),
    });
  }

  deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const { log, isCut } = logOf(recorded(message), this.#store.label);
    if (isCut) this.#io.messageCut();
    return this.#gatherer.deliver(log, signal);
  }

  /** Looks at the Logstore. A key that may only write may not look, which says nothing about its writing. */
  async check(signal: AbortSignal): Promise<SinkCheck> {
    let outcome: Outcome;
    try {
      outcome = await this.#exchange("GET", `/logstores/${this.#store.name}`, {}, EMPTY, signal);
    } catch (error) {
      const verdict = transportVerdict(error);
      return { problems: [], away: verdict.kind === "accepted" ? null : verdict.detail };
    }
    if ("verdict" in outcome) return checkOf(outcome);
    const { answer, isStale } = outcome;
    const { code, text } = saidBy(answer);
    if (isStale) return { problems: [], away: `${STALE}: ${code} ${text.slice(0, 200)}` };
    const verdict = verdictOf(answer, this.#io.clock.now());
    if (verdict.kind === "accepted" || code === "Unauthorized") return { problems: [], away: null };
    if (verdict.kind !== "permanent") return { problems: [], away: verdict.detail };
    const hint = code === null ? null : (CODES[code]?.next ?? null);
    const message = code === null ? verdict.detail : `${code} ${text.slice(0, 200)}`;
    return { problems: [{ message: `Log Service: ${message}`, hint }], away: null };
  }

  close(): Promise<void> {
    this.#gatherer.close();
    this.#access.close();
    return Promise.resolve();
  }

  async #put(logs: readonly Buffer[], signal: AbortSignal): Promise<Verdict> {
    const { name, topic, compress } = this.#store;
    const raw = encodeGroup({ logs, topic, source: "" });
    const body = compress === "deflate" ? deflateSync(raw) : raw;
    const headers = {
      "content-type": "application/x-protobuf",
      "x-log-bodyrawsize": String(raw.length),
      ...(compress === "deflate" ? { "x-log-compresstype": "deflate" } : {}),
    };
    try {
      const resource = `/logstores/${name}/shards/lb`;
      const outcome = await this.#exchange("POST", resource, headers, body, signal);
      if ("verdict" in outcome) return outcome.verdict;
      const verdict = verdictOf(outcome.answer, this.#io.clock.now());
      if (!outcome.isStale || verdict.kind !== "permanent") return verdict;
      return retryable("auth", `${STALE}: ${verdict.detail}`);
    } catch (error) {
      return transportVerdict(error);
    }
  }

  #exchange(
    method: "GET" | "POST",
    resource: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const send = ({ key, region }: Granted): Promise<HttpAnswer> => {
      const { origin, host } = this.#store.placeIn(region);
      const all = {
        ...signed(key, { method, resource, headers, body }, this.#io.clock.now()),
        ...(host === null ? {} : { host }),
      };
      return this.#io.exchange(
        { method, url: origin + resource, headers: all, body: body.length === 0 ? "" : body },
        signal,
      );
    };
    return answered(this.#access, send, hasEnded, signal);
  }
}

const EMPTY = Buffer.alloc(0);
