import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Crier, crier } from "../../test/support/crier.ts";
import { CuttableWay } from "../../test/support/cuttable.ts";
import { seeded } from "../../test/support/life.ts";
import { Mariadb } from "../../test/support/mariadb.ts";
import { imageEnvironment } from "../image.ts";
import { Generator, localServer } from "./cluster.ts";
import type { Account, Soaked } from "./judge.ts";
import { HICCUPS, Receiver } from "./receiver.ts";
import { type Measured, measure, Record, sumOf } from "./sample.ts";

const NAMESPACE = "kube-crier-soak";
const SAMPLE_MS = 10_000;
/** Without an arrival for so long, what is missing is lost. */
const PATIENCE_MS = 90_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly rate: number;
  readonly seed: number;
  readonly csv: string;
  readonly mysql: boolean;
  /** Arguments for kube-crier. */
  readonly further: readonly string[];
  readonly note: (text: string) => void;
}

/** Its parts, and the time they have. */
interface Stage {
  readonly options: SoakOptions;
  readonly random: () => number;
  readonly generator: Generator;
  readonly receiver: Receiver;
  readonly mariadb: Mariadb | null;
  readonly running: () => boolean;
  /** No pause outlives the soak. */
  readonly pause: (least: number, most?: number) => Promise<void>;
}

export async function soak(options: SoakOptions): Promise<Soaked> {
  const ends: (() => unknown)[] = [];
  try {
    return await staged(options, ends);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function staged(options: SoakOptions, ends: (() => unknown)[]): Promise<Soaked> {
  const kubeconfig = process.env["KUBECONFIG"] ?? "";
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-soak-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const generator = await Generator.at(kubeconfig, NAMESPACE);
  ends.push(() => generator.close());
  const receiver = new Receiver();
  const base = await receiver.start();
  ends.push(() => receiver.close());
  const mariadb = options.mysql ? await Mariadb.start() : null;
  ends.push(() => mariadb?.destroy());
  await mariadb?.sql("CREATE DATABASE soak CHARACTER SET utf8mb4");

  const server = localServer(kubeconfig);
  const way = server === null ? null : await CuttableWay.to(server.port);
  ends.push(() => way?.close());
  if (way === null) options.note("the API server is elsewhere: its connections are not broken");
  const file = path.join(folder, "kubeconfig");
  if (way !== null) writeFileSync(file, server?.by(way.port) ?? "", { mode: 0o600 });

  const dataDir = path.join(folder, "ledger");
  const program = new Crier(
    [
      "run",
      `--source=kubernetes:?kubeconfig=${way === null ? kubeconfig : file}&namespaces=${NAMESPACE}`,
      `--sink=webhook:${base}/well?name=well`,
      `--sink=webhook:${base}/unwell?name=unwell&timeout=5s`,
      ...(mariadb === null
        ? []
        : [`--sink=mysql:?root@tcp(127.0.0.1:${mariadb.port})/soak?charset=utf8mb4`]),
      `--data-dir=${dataDir}`,
      "--listen=127.0.0.1:0",
      ...options.further,
    ],
    // As the image has it.
    { env: imageEnvironment() },
  );
  ends.push(() => program.destroy());
  const url = await program.ready();
  const started = performance.now();
  const random = seeded(options.seed);
  const left = () => options.minutes * 60_000 - (performance.now() - started);
  const pause = (least: number, most = least) =>
    sleep(Math.max(0, Math.min(least + random() * (most - least), left())));
  const stage = { options, random, generator, receiver, mariadb, pause, running: () => left() > 0 };
  const samples: Measured[] = [];
  await Promise.all([
    sample(
      stage,
      () => measure(program.pid, url, dataDir, (performance.now() - started) / 1000),
      samples,
    ),
    generate(stage),
    disturbReceiver(stage),
    ...(way === null ? [] : [breakConnections(stage, way)]),
  ]);
  const accounts = await arrived(stage);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  program.kill("SIGTERM");
  const exitCode = await program.ended();
  const check = await crier(["ledger", "check", `--data-dir=${dataDir}`]);
  return {
    samples,
    created: generator.taken.size,
    accounts,
    dead: sumOf(metrics, "kube_crier_deliveries_dead_total"),
    pending: sumOf(metrics, "kube_crier_deliveries_pending"),
    exitCode,
    ledger: { code: check.code, said: `${check.stdout}${check.stderr}`.trim() },
  };
}

async function sample(
  { options, running, pause }: Stage,
  look: () => Promise<Measured>,
  samples: Measured[],
): Promise<void> {
  const record = new Record(options.csv);
  while (running()) {
    await pause(SAMPLE_MS);
    const found = await look();
    samples.push(found);
    record.add(found);
    if (samples.length % 30 === 0)
      options.note(`${Math.round(found.seconds / 60)} min: RSS ${found.rss} MiB`);
  }
}

/** As many as the rate wants: half of them evenly, half in a burst each half minute; three in ten are further occurrences. */
async function generate({ options, random, generator, running, pause }: Stage): Promise<void> {
  const one = () => (random() < 0.3 ? generator.again(random()) : generator.create());
  const batch = (count: number) =>
    Promise.all(Array.from({ length: Math.max(1, Math.round(count)) }, one));
  for (let tick = 1; running(); tick += 1) {
    await Promise.all([batch(options.rate / 2), pause(1_000)]);
    if (tick % 30 === 0) await batch(options.rate * 15);
  }
}

/** Connections to the API server are reset, at times for seconds together. */
async function breakConnections({ random, running, pause }: Stage, way: CuttableWay) {
  while (running()) {
    await pause(5_000, 30_000);
    way.cut();
    if (random() < 0.2) await pause(1_000, 8_000);
    way.mend();
  }
}

async function disturbReceiver({ random, receiver, running, pause }: Stage): Promise<void> {
  while (running()) {
    await pause(10_000, 40_000);
    receiver.hiccup = HICCUPS[Math.floor(random() * HICCUPS.length)] ?? null;
    await pause(2_000, 8_000);
    receiver.hiccup = null;
  }
}

/** What became of everything, once it has arrived, or nothing has for long. */
async function arrived({ generator, receiver, mariadb }: Stage): Promise<readonly Account[]> {
  const look = async () => [
    ...["/well", "/unwell"].map((where) => receiver.account(where, generator.taken)),
    ...(mariadb === null ? [] : [await rows(mariadb, generator.taken.size)]),
  ];
  let last = -1;
  let since = performance.now();
  for (;;) {
    const missing = (await look()).reduce((sum, { lost }) => sum + lost, 0);
    if (missing !== last) since = performance.now();
    last = missing;
    if (missing === 0 || performance.now() - since > PATIENCE_MS) break;
    await sleep(1_000);
  }
  // For what comes twice, and for the settlement of what came last.
  await sleep(2_000);
  return look();
}

/** A row for each Event, with the count it has reached. */
async function rows(mariadb: Mariadb, occurrences: number): Promise<Account> {
  const sum = "COUNT(*) AS n, COUNT(DISTINCT event_id) AS events, SUM(`count`) AS told";
  const [row] = await mariadb.sql(`SELECT ${sum} FROM kube_event`, "soak");
  const [n = 0, events = 0, told = 0] = ["n", "events", "told"].map((name) => Number(row?.[name]));
  return { sink: "mysql", lost: occurrences - told, twice: n - events };
}
