import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import kafkajs, { type Admin, type KafkaMessage, logLevel } from "kafkajs";
import { makeAuthority } from "./openssl.ts";
import { CutProxy } from "./cut-proxy.ts";
import { freePorts } from "./ports.ts";
import { ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
/** It runs on Java 17. */
const VERSION = "4.1.0";
const CACHE = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
const JARS = path.join(CACHE, "kube-crier-tests", `kafka-${VERSION}`);
const FETCH_MS = 240_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
</dependencies></project>`;

/** Why there is no Kafka here; `null`: there is one. The first time it is fetched from Maven Central. */
export const noKafka: string | null = await fetched();

async function fetched(): Promise<string | null> {
  try {
    const { stderr } = await run("java", ["-version"]);
    const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
    if (major < 17) return `Kafka ${VERSION} needs Java 17, found ${major}`;
    await run("openssl", ["version"]);
    if (existsSync(JARS)) return null;
    await fetchJars();
    return null;
  } catch (error) {
    const { message } = error as Error;
    return `needs java, mvn and openssl: ${message.split("\n")[0]}`;
  }
}

async function fetchJars(): Promise<void> {
  mkdirSync(path.dirname(JARS), { recursive: true });
  const dir = mkdtempSync(`${JARS}-`);
  try {
    writeFileSync(path.join(dir, "pom.xml"), POM);
    const goal = ["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"];
    await run("mvn", [...goal, "-DoutputDirectory=jars"], { cwd: dir, timeout: FETCH_MS });
    // Somebody else may have been faster.
    if (!existsSync(JARS)) renameSync(path.join(dir, "jars"), JARS);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Made up. */
export const PASSWORD = "fedcba9876543210";

/** Of a listener: how it is spoken to. */
export type Way = "plain" | "sasl" | "tls" | "cut";

export interface ReadRecord {
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly partition: number;
}

/**
 * A Kafka of the test's own, one node, in a temporary directory, on loopback ports: in the clear, with SASL, over TLS with client certificates,
 * and through a proxy that loses answers. Users `crier` (who may do all) and `guest` (who may nothing).
 */
export class Kafka {
  readonly dir: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly proxy: CutProxy;
  readonly #ports: Readonly<Record<Way | "controller", number>>;
  readonly #client: kafkajs.Kafka;
  readonly #process = new ServerProcess("Kafka");
  #groups = 0;

  private constructor(
    dir: string,
    tls: Kafka["tls"],
    proxy: CutProxy,
    ports: Readonly<Record<Way | "controller", number>>,
  ) {
    this.dir = dir;
    this.tls = tls;
    this.proxy = proxy;
    this.#ports = ports;
    this.#client = new kafkajs.Kafka({
      brokers: [this.address("plain")],
      logLevel: logLevel.NOTHING,
      retry: { retries: 3 },
    });
  }

  /** @param properties of the server, beside or instead of ours */
  static async start(properties: Readonly<Record<string, string>> = {}): Promise<Kafka> {
    const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-kafka-"));
    const { ca, server, client } = await makeAuthority(dir);
    const [plain = 0, sasl = 0, tls = 0, behind = 0, controller = 0] = await freePorts(5);
    const proxy = await CutProxy.start(behind);
    const ports = { plain, sasl, tls, cut: proxy.port, controller };
    const kafka = new Kafka(dir, { ca, ...client }, proxy, ports);
    writeFileSync(
      path.join(dir, "server.properties"),
      kafka.#properties(behind, ca, server, properties),
    );
    const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=crier,password=${PASSWORD}]`,
    ]);
    const id = Buffer.from("kube-crier-tests").toString("base64url");
    const format = ["format", "-t", id, "-c", path.join(dir, "server.properties"), ...scram];
    await run("java", [...kafka.#java("kafka.tools.StorageTool"), ...format]);
    await kafka.up();
    return kafka;
  }

  address(way: Way): string {
    return `127.0.0.1:${this.#ports[way]}`;
  }

  /** Resolves when it answers. */
  async up(): Promise<void> {
    await this.#process.up({
      command: "java",
      args: [...this.#java("kafka.Kafka"), path.join(this.dir, "server.properties")],
      ready: () =>
        this.admin(async (admin) => {
          const { brokers } = await admin.describeCluster();
          return brokers.length === 1 ? true : undefined;
        }).catch(() => undefined),
    });
  }

  /** As a machine that dies. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  /** Holds its breath: connections stay open and nothing is answered. */
  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  async destroy(): Promise<void> {
    this.thaw();
    await this.kill();
    await this.proxy.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async admin<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#client.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async createTopic(
    topic: string,
    partitions = 1,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.admin((admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
      }),
    );
  }

  /** How many there are, whoever has read them. */
  async count(topic: string): Promise<number> {
    const offsets = await this.admin((admin) => admin.fetchTopicOffsets(topic));
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** All of them, by partition in their order. */
  async read(topic: string): Promise<readonly ReadRecord[]> {
    const count = await this.count(topic);
    if (count === 0) return [];
    this.#groups += 1;
    const consumer = this.#client.consumer({ groupId: `test-${this.#groups}` });
    const records: ReadRecord[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    await consumer.run({
      eachMessage: ({ partition, message }) => {
        records.push(asRead(partition, message));
        if (records.length === count) resolve();
        return Promise.resolve();
      },
    });
    await promise;
    await consumer.disconnect();
    return records.toSorted((a, b) => a.partition - b.partition);
  }

  #java(main: string): readonly string[] {
    const heap = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
    return [...heap, "-cp", path.join(JARS, "*"), main];
  }

  #properties(
    behind: number,
    ca: string,
    pem: string,
    more: Readonly<Record<string, string>>,
  ): string {
    const { plain, sasl, tls, cut, controller } = this.#ports;
    const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`;
    const open = [at("PLAIN", plain), at("SASL", sasl), at("TLS", tls)];
    const login = `user_crier="${PASSWORD}" user_guest="${PASSWORD}"`;
    const jaas = "org.apache.kafka.common.security";
    const scram = `${jaas}.scram.ScramLoginModule required;`;
    return Object.entries({
      "process.roles": "broker,controller",
      "node.id": "1",
      "controller.quorum.voters": `1@127.0.0.1:${controller}`,
      "controller.listener.names": "CONTROLLER",
      "inter.broker.listener.name": "PLAIN",
      listeners: [...open, at("CUT", behind), at("CONTROLLER", controller)].join(","),
      "advertised.listeners": [...open, at("CUT", cut)].join(","),
      "listener.security.protocol.map":
        "PLAIN:PLAINTEXT,CUT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
      "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
      "listener.name.sasl.plain.sasl.jaas.config": `${jaas}.plain.PlainLoginModule required ${login};`,
      "listener.name.sasl.scram-sha-256.sasl.jaas.config": scram,
      "listener.name.sasl.scram-sha-512.sasl.jaas.config": scram,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": pem,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": ca,
      "ssl.client.auth": "required",
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS;User:crier;User:CN=crier",
      "auto.create.topics.enable": "false",
      // One that died is missed soon, so that it may soon come back.
      "broker.session.timeout.ms": "1500",
      "broker.heartbeat.interval.ms": "250",
      "log.dirs": path.join(this.dir, "log"),
      "offsets.topic.num.partitions": "1",
      "offsets.topic.replication.factor": "1",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "group.initial.rebalance.delay.ms": "0",
      "log.cleaner.enable": "false",
      ...more,
    })
      .map(([name, value]) => `${name}=${value}\n`)
      .join("");
  }
}

function asRead(partition: number, { key, value, headers, timestamp }: KafkaMessage): ReadRecord {
  return {
    key: key === null ? null : key.toString("utf8"),
    value: value?.toString("utf8") ?? "",
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]),
    ),
    timestamp: Number(timestamp),
    partition,
  };
}
