import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { clusterControl, kubectl } from "../support/cluster.ts";
import { type Mariadb } from "../support/mariadb.ts";
import { makeAuthority } from "../support/openssl.ts";
import { Crew, ELECTION_ARGS, type Replica } from "./crew.ts";
import { Gateway } from "./gateway.ts";
import { JumpingClock, SmallDisk } from "./machine.ts";
import { type ApiServer, Maker } from "./maker.ts";
import { Program } from "./program.ts";
import { Chance } from "./random.ts";
import { CHAT_PATH, HOOK_PATH, readDingtalk, readHook, Receiver } from "./receiver.ts";
import type { Schedule } from "./schedule.ts";
import { Way } from "./way.ts";

export const NAMESPACES = ["chaos-a", "chaos-b"] as const;
export const CONCURRENCY = { hook: 8, chat: 1, table: 1 } as const;

/** Everything that takes part: the program, the ways to and from it, and who is at their ends. */
export class Stage {
  readonly dir = mkdtempSync(path.join(tmpdir(), "kube-crier-chaos-"));
  readonly disk = new SmallDisk(path.join(this.dir, "disk"));
  readonly prefix: string;
  readonly database: { readonly server: Mariadb; readonly name: string } | null;
  readonly control = clusterControl;
  readonly #chance: (what: string) => Chance;
  readonly #scope: Schedule["scope"];
  readonly #replicas: Schedule["replicas"];
  /** Where the ledger is, for every command. */
  readonly ledger: readonly string[];
  /** What the program holds in memory only, while the database is away. */
  readonly bypasses: boolean;
  readonly maxAgeMs: number | null;
  readonly #rate: number;
  readonly #away: readonly string[];
  readonly #ended: (() => unknown)[] = [
    () => rmSync(this.dir, { recursive: true, force: true }),
    () => this.disk.destroy(),
  ];
  #parts: Parts | null = null;

  constructor(
    { seed, scope, ledger, replicas, maxAgeMs, rate }: Schedule,
    mariadb: Mariadb | null,
  ) {
    this.#chance = (what) => new Chance(seed, what);
    this.#scope = scope;
    this.#replicas = replicas;
    this.#rate = rate;
    this.maxAgeMs = maxAgeMs;
    // The cluster keeps the Events of the seeds before for an hour.
    this.prefix = `c${Date.now().toString(36)}s${seed}`;
    this.database = mariadb === null ? null : { server: mariadb, name: `chaos_${this.prefix}` };
    this.bypasses = ledger === "bypass";
    this.ledger =
      this.database === null || ledger === "file"
        ? [`--data-dir=${this.disk.dir}/ledger`]
        : [`--ledger=mysql://root@127.0.0.1:${this.database.server.port}/${this.database.name}`];
    this.#away = ledger === "file" ? [] : [`--ledger-away=${ledger}`];
  }

  get parts(): Parts {
    if (this.#parts === null) throw new Error("the stage is not set");
    return this.#parts;
  }

  async set(): Promise<void> {
    const api = await adminOf();
    for (const namespace of NAMESPACES)
      await kubectl(["create", "namespace", namespace]).catch(() => undefined);
    await this.database?.server.sql(`CREATE DATABASE ${this.database.name} CHARACTER SET utf8mb4`);
    const { ca, server } = await makeAuthority(this.dir);
    const started = <T extends { close(): unknown }>(part: T): T => {
      this.#ended.push(() => part.close());
      return part;
    };
    const receiver = async (sink: "hook" | "chat", read: typeof readHook) =>
      started(await Receiver.start({ sink, read, chance: this.#chance(sink) }));
    const hook = await receiver("hook", readHook);
    const chat = await receiver("chat", readDingtalk);
    const hookWay = started(await Way.to(hook.port));
    const chatWay = started(await Way.to(chat.port));
    const maker = started(
      new Maker({
        api,
        prefix: this.prefix,
        namespaces: NAMESPACES,
        chance: this.#chance("maker"),
      }),
    );
    let lives = 0;
    const replica = async (index: number): Promise<Replica> => {
      const gateway = started(
        await Gateway.start({
          pem: server,
          target: api.port,
          ca: api.ca,
          chance: this.#chance(index === 0 ? "watches" : `watches ${index}`),
        }),
      );
      const road = started(await Way.to(gateway.port));
      const line = started(await Way.to(road.port));
      const dir = path.join(this.dir, `replica-${index}`);
      mkdirSync(dir);
      const clock = new JumpingClock(dir);
      const kubeconfig = kubeconfigIn(dir, line.port, ca, api.token);
      const program = new Program({
        args: (life) => this.#args(kubeconfig, life, { hook: hookWay.port, chat: chatWay.port }),
        env: { ...clock.env, POD_NAME: `crier-${index}` },
        nextLife: () => (lives += 1),
        elects: this.#replicas > 1,
      });
      this.#ended.push(() => program.destroy());
      return { program, gateway, road, line, clock, unwell: [] };
    };
    const replicas: Replica[] = [];
    for (let index = 0; index < this.#replicas; index += 1) replicas.push(await replica(index));
    this.#parts = { hook, chat, hookWay, chatWay, maker, crew: new Crew(replicas) };
  }

  async strike(): Promise<void> {
    for (const end of this.#ended.toReversed()) await end();
  }

  #args(
    kubeconfig: string,
    life: number,
    ports: { readonly hook: number; readonly chat: number },
  ): readonly string[] {
    const namespaces = this.#scope === "all" ? "" : `&namespaces=${NAMESPACES.join(",")}`;
    const { database } = this;
    const lease = [
      ...ELECTION_ARGS,
      `--leader-elect-resource-name=${this.prefix}`,
      `--leader-elect-resource-namespace=${NAMESPACES[0]}`,
    ];
    return [
      `--source=kubernetes:?kubeconfig=${kubeconfig}${namespaces}`,
      ...(this.#replicas > 1 ? lease : []),
      ...(this.maxAgeMs === null ? [] : [`--max-age=${this.maxAgeMs}ms`]),
      ...this.ledger,
      ...this.#away,
      `--names=${this.prefix}-*`,
      "--listen=127.0.0.1:0",
      `--sink=webhook:http://127.0.0.1:${ports.hook}${HOOK_PATH}${life}?name=hook&concurrency=${CONCURRENCY.hook}`,
      `--sink=dingtalk:http://127.0.0.1:${ports.chat}${CHAT_PATH}${life}&name=chat&level=Warning&rate_per_minute=${this.#rate}`,
      ...(database === null
        ? []
        : [
            `--sink=mysql:?root@tcp(127.0.0.1:${database.server.port})/${database.name}?charset=utf8&name=table`,
          ]),
    ];
  }
}

export interface Parts {
  readonly hook: Receiver;
  readonly chat: Receiver;
  readonly hookWay: Way;
  readonly chatWay: Way;
  readonly maker: Maker;
  readonly crew: Crew;
}

/** Who may do everything, of the kubeconfig that the tests were given. */
async function adminOf(): Promise<ApiServer> {
  const config = JSON.parse(
    await kubectl(["config", "view", "--raw", "--minify", "-o", "json"]),
  ) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { token: string } }[];
  };
  const cluster = config.clusters[0]?.cluster;
  const token = config.users[0]?.user.token;
  if (cluster === undefined || token === undefined)
    throw new Error(
      "KUBECONFIG names no cluster with a token; expected that of the cluster script",
    );
  const ca = Buffer.from(cluster["certificate-authority-data"], "base64").toString("utf8");
  return { port: Number(new URL(cluster.server).port), ca, token };
}

function kubeconfigIn(dir: string, port: number, ca: string, token: string): string {
  const file = path.join(dir, "kubeconfig");
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "chaos",
      clusters: [
        {
          name: "chaos",
          cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": ca },
        },
      ],
      users: [{ name: "chaos", user: { token } }],
      contexts: [{ name: "chaos", context: { cluster: "chaos", user: "chaos" } }],
    }),
  );
  return file;
}
