import {
  type DirectSink,
  Gatherer,
  type Headers,
  type Message,
  recorded,
  retryable,
  signV4,
  type SinkCheck,
  type SinkIo,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import { type Access, answered, checkOf, type Granted, STALE } from "../aliyun/access.ts";
import { hasEnded, verdictsOf } from "./answers.ts";
import { type About, entryOf } from "./entry.ts";
import { acsHeaders } from "./sign.ts";

/** Alibaba Cloud: 16 events of 64 KB, 256 KB together; AWS: 10 entries, 256 KB together, each counted with its names. */
const LIMITS = {
  aliyun: { most: 16, entry: 64_000, size: 250_000 },
  aws: { most: 10, entry: 240_000, size: 250_000 },
} as const;
const PATH = { aliyun: "/openapi/putEvents", aws: "/" } as const;

export interface Bus extends Omit<About, "regionId" | "accountId"> {
  /** `https://HOST`. */
  originIn(place: Granted): string;
  /** Its credentials are asked for, which is worth a look before the first event. */
  readonly isRole: boolean;
}

export class Publisher implements DirectSink {
  /** Absent where there is no harmless way to know. */
  readonly check?: (signal: AbortSignal) => Promise<SinkCheck>;
  readonly #bus: Bus;
  readonly #access: Access;
  readonly #io: SinkIo;
  readonly #gatherer: Gatherer<string>;

  constructor(bus: Bus, access: Access, io: SinkIo) {
    this.#bus = bus;
    this.#access = access;
    if (bus.isRole)
      this.check = async (signal) => {
        const granted = await access.get(signal);
        return "verdict" in granted ? checkOf(granted) : { problems: [], away: null };
      };
    this.#io = io;
    const { most, size } = LIMITS[bus.provider];
    this.#gatherer = new Gatherer({
      most,
      size,
      sizeOf: (entry) => Buffer.byteLength(entry) + 1,
      send: (entries, signal) => this.#put(entries, signal),
    });
  }

  async deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const granted = await this.#access.get(signal);
    if ("verdict" in granted) return granted.verdict;
    const max = LIMITS[this.#bus.provider].entry;
    const about = { ...this.#bus, regionId: granted.region, accountId: granted.account };
    const { entry, isCut } = entryOf(recorded(message), about, max);
    if (isCut) this.#io.messageCut();
    return this.#gatherer.deliver(entry, signal);
  }

  close(): Promise<void> {
    this.#gatherer.close();
    this.#access.close();
    return Promise.resolve();
  }

  async #put(
    entries: readonly string[],
    signal: AbortSignal,
  ): Promise<Verdict | readonly Verdict[]> {
    const { provider } = this.#bus;
    const list = `[${entries.join(",")}]`;
    const body = provider === "aws" ? `{"Entries":${list}}` : list;
    const send = (granted: Granted) => {
      const url = this.#bus.originIn(granted) + PATH[provider];
      const headers = this.#headers(granted, body);
      return this.#io.exchange({ method: "POST", url, headers, body }, signal);
    };
    try {
      const outcome = await answered(this.#access, send, hasEnded, signal);
      if ("verdict" in outcome) return outcome.verdict;
      const now = this.#io.clock.now();
      const verdicts = verdictsOf(provider, outcome.answer, entries.length, now);
      if (!outcome.isStale || !("kind" in verdicts) || verdicts.kind !== "permanent")
        return verdicts;
      return retryable("auth", `${STALE}: ${verdicts.detail}`);
    } catch (error) {
      return transportVerdict(error);
    }
  }

  #headers(granted: Granted, body: string): Headers {
    const { key, region } = granted;
    const now = this.#io.clock.now();
    if (this.#bus.provider === "aliyun") return acsHeaders(key, PATH.aliyun, body, now);
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSEvents.PutEvents",
    };
    const { host } = new URL(this.#bus.originIn(granted));
    const request = { method: "POST", host, path: PATH.aws, headers, body };
    return signV4(key, { ...request, region, service: "events" }, now);
  }
}
