import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import type kafkajs from "kafkajs";
import type { ISocketFactory, Kafka, SASLOptions } from "kafkajs";
import { lz4, snappy } from "./codecs.ts";
import type { Place } from "./errors.ts";
import type { Tls } from "./sockets.ts";

/** The one door of kafkajs. */
export type { Admin, PartitionMetadata, Producer } from "kafkajs";
export type Library = typeof kafkajs;

export interface Target extends Place {
  readonly password: string;
  readonly mechanism: (typeof MECHANISMS)[number];
  /** `null`: in the clear. */
  readonly tls: Tls | null;
  readonly compression: (typeof COMPRESSIONS)[number];
}

export const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
/** By their numbers in a record batch. */
export const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

const CONNECT_MS = 3_000;
const ANSWER_MS = 8_000;
/** A seed that is down, a leader that moved. What takes longer is the lane's, with its own back-off. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 800 };

const zstd = promisify(zstdCompress);

/** Only those who have such a sink load it. */
export async function loadLibrary(): Promise<Library> {
  const [{ default: library }, { default: queue }] = await Promise.all([
    import("kafkajs"),
    import("kafkajs/src/network/requestQueue/index.js"),
  ]);
  quieten(queue.prototype);
  const { CompressionCodecs, CompressionTypes } = library;
  CompressionCodecs[CompressionTypes.Snappy] = () => codec(snappy);
  CompressionCodecs[CompressionTypes.LZ4] = () => codec(lz4);
  CompressionCodecs[CompressionTypes.ZSTD] = () => codec(zstd);
  return library;
}

/** @param hear what it says on its own account, never with the password in it */
export function kafkaAt(
  library: Library,
  target: Target,
  socketFactory: ISocketFactory,
  hear: (text: string) => void,
): Kafka {
  const { brokers, tls, password } = target;
  return new library.Kafka({
    clientId: "kube-crier",
    brokers: [...brokers],
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout: ANSWER_MS,
    retry: { ...RETRY, retries: Math.max(2, brokers.length) },
    ssl: tls !== null,
    ...saslOf(target),
    socketFactory,
    logLevel: library.logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, error } = entry.log;
      const words = typeof error === "string" ? `${message}: ${error}` : message;
      hear(password === "" ? words : words.replaceAll(password, "<redacted>"));
    },
  });
}

function codec(compress: (input: Buffer) => Buffer | Promise<Buffer>) {
  return { compress: async ({ buffer }: { readonly buffer: Buffer }) => compress(buffer) };
}

function saslOf({ user, password, mechanism }: Target): { readonly sasl?: SASLOptions } {
  if (user === null) return {};
  const login = { username: user, password };
  switch (mechanism) {
    case "PLAIN":
      return { sasl: { mechanism: "plain", ...login } };
    case "SCRAM-SHA-256":
      return { sasl: { mechanism: "scram-sha-256", ...login } };
    case "SCRAM-SHA-512":
      return { sasl: { mechanism: "scram-sha-512", ...login } };
  }
}

interface Pending {
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: Pending) => void;
}

const quiet = new WeakSet<object>();

/** It sets a timer after each answer, by a date that lies in the past where there is nothing to wait for: Node warns of that on standard error. */
function quieten(queue: Pending): void {
  if (quiet.has(queue)) return;
  quiet.add(queue);
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleWhereNeeded(this: Pending) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
