import {
  type AccessKey,
  type DirectSink,
  Gatherer,
  type Headers,
  type Message,
  recorded,
  signV4,
  type SinkIo,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import { verdictsOf } from "./answers.ts";
import { type About, entryOf } from "./entry.ts";
import { acsHeaders } from "./sign.ts";

/** Alibaba Cloud: 16 events of 64 KB, 256 KB together; AWS: 10 entries, 256 KB together, each counted with its names. */
const LIMITS = {
  aliyun: { most: 16, entry: 64_000, size: 250_000 },
  aws: { most: 10, entry: 240_000, size: 250_000 },
} as const;
const PATH = { aliyun: "/openapi/putEvents", aws: "/" } as const;

export interface Bus extends About {
  /** `https://HOST`. */
  readonly origin: string;
  readonly key: AccessKey;
}

export class Publisher implements DirectSink {
  readonly #bus: Bus;
  readonly #io: SinkIo;
  readonly #gatherer: Gatherer<string>;

  constructor(bus: Bus, io: SinkIo) {
    this.#bus = bus;
    this.#io = io;
    const { most, size } = LIMITS[bus.provider];
    this.#gatherer = new Gatherer({
      most,
      size,
      sizeOf: (entry) => Buffer.byteLength(entry) + 1,
      send: (entries, signal) => this.#put(entries, signal),
    });
  }

  deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const max = LIMITS[this.#bus.provider].entry;
    const { entry, isCut } = entryOf(recorded(message), this.#bus, max);
    if (isCut) this.#io.messageCut();
    return this.#gatherer.deliver(entry, signal);
  }

  close(): Promise<void> {
    this.#gatherer.close();
    return Promise.resolve();
  }

  async #put(
    entries: readonly string[],
    signal: AbortSignal,
  ): Promise<Verdict | readonly Verdict[]> {
    const { provider, origin } = this.#bus;
    const list = `[${entries.join(",")}]`;
    const body = provider === "aws" ? `{"Entries":${list}}` : list;
    const url = origin + PATH[provider];
    try {
      const request = { method: "POST", url, headers: this.#headers(body), body };
      const answer = await this.#io.exchange(request, signal);
      return verdictsOf(provider, answer, entries.length, this.#io.clock.now());
    } catch (error) {
      return transportVerdict(error);
    }
  }

  #headers(body: string): Headers {
    const { provider, origin, regionId, key } = this.#bus;
    const now = this.#io.clock.now();
    if (provider === "aliyun") return acsHeaders(key, PATH.aliyun, body, now);
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSEvents.PutEvents",
    };
    const { host } = new URL(origin);
    const request = { method: "POST", host, path: PATH.aws, headers, body };
    return signV4(key, { ...request, region: regionId, service: "events" }, now);
  }
}
