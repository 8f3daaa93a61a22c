import { deflateSync } from "node:zlib";
import {
  type DirectSink,
  Gatherer,
  type HttpAnswer,
  type Message,
  recorded,
  type SinkCheck,
  type SinkIo,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import { CODES, saidBy, verdictOf } from "./answers.ts";
import { type Fields, logOf } from "./log.ts";
import { encodeGroup } from "./protobuf.ts";
import { type AccessKey, signed } from "./sign.ts";

/** Well inside of what PutLogs takes: 4096 logs, 3 MB in its strictest version. */
const MOST = 1000;
const BYTES = 2_500_000;

export interface Logstore {
  /** Where requests go: `https://PROJECT.cn-hangzhou.log.aliyuncs.com`. */
  readonly origin: string;
  /** Whom they are for, where the address does not say it. */
  readonly host: string | null;
  readonly name: string;
  readonly topic: string;
  readonly label: Fields;
  readonly compress: "deflate" | "none";
  readonly key: AccessKey;
}

export class Writer implements DirectSink {
  readonly #store: Logstore;
  readonly #io: SinkIo;
  readonly #gatherer: Gatherer<Buffer>;

  constructor(store: Logstore, io: SinkIo) {
    this.#store = store;
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
    let answer: HttpAnswer;
    try {
      answer = await this.#exchange("GET", `/logstores/${this.#store.name}`, {}, EMPTY, signal);
    } catch (error) {
      const verdict = transportVerdict(error);
      return { problems: [], away: verdict.kind === "accepted" ? null : verdict.detail };
    }
    const { code, text } = saidBy(answer);
    const verdict = verdictOf(answer, this.#io.clock.now());
    if (verdict.kind === "accepted" || code === "Unauthorized") return { problems: [], away: null };
    if (verdict.kind !== "permanent") return { problems: [], away: verdict.detail };
    const hint = code === null ? null : (CODES[code]?.next ?? null);
    const message = code === null ? verdict.detail : `${code} ${text.slice(0, 200)}`;
    return { problems: [{ message: `Log Service: ${message}`, hint }], away: null };
  }

  close(): Promise<void> {
    this.#gatherer.close();
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
      const answer = await this.#exchange("POST", resource, headers, body, signal);
      return verdictOf(answer, this.#io.clock.now());
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
  ): Promise<HttpAnswer> {
    const { origin, host, key } = this.#store;
    const all = {
      ...signed(key, { method, resource, headers, body }, this.#io.clock.now()),
      ...(host === null ? {} : { host }),
    };
    return this.#io.exchange(
      { method, url: origin + resource, headers: all, body: body.length === 0 ? "" : body },
      signal,
    );
  }
}

const EMPTY = Buffer.alloc(0);
