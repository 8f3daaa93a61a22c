import { until } from "../support/crier.ts";
import { DEPOSING_MS } from "./crew.ts";
import type { Injection, Step } from "./schedule.ts";
import { NAMESPACES, type Parts, type Stage } from "./stage.ts";
import type { Fault, Way } from "./way.ts";
import type { Answer, Receiver } from "./receiver.ts";

type Act = (stage: Stage, step: Step) => Promise<void>;

const WRITABLE = /^kube_crier_ledger_writable 1$/m;
/** How long the list of one namespace takes while that of the other is there, and how long is waited for that. */
const LISTING_MS = 2_000;
const LISTED_MS = 10_000;
const lasting = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const onWay =
  (which: (parts: Parts) => Way, fault: Fault): Act =>
  async ({ parts }, { forMs, size }) => {
    const way = which(parts);
    way.begin(fault, Math.floor(size * 3_000));
    await lasting(forMs);
    way.end();
  };

const road = ({ crew }: Parts) => crew.leader.road;
const hookWay = (parts: Parts) => parts.hookWay;
const chatWay = (parts: Parts) => parts.chatWay;

/** Mostly the one that leads. */
const meant = ({ crew }: Parts, { size }: Step) => (size < 0.2 ? crew.standby : crew.leader);

const answering =
  (which: "hook" | "chat", how: Answer): Act =>
  async ({ parts }, { forMs, size }) => {
    const receiver: Receiver = parts[which];
    receiver.begin(how, Math.max(0.2, size));
    await lasting(forMs);
    receiver.end();
  };

/** Events, as many as `size` says, of which a share are changes of those there are. */
const making =
  (least: number, most: number, updates: number, long = false): Act =>
  async ({ parts }, { size }) => {
    await parts.maker.burst(Math.round(least + size * (most - least)), { updates, long });
  };

const database =
  (how: "down" | "kill"): Act =>
  async ({ database, bypasses, parts: { crew } }, { forMs }) => {
    if (bypasses) crew.unwritten();
    await database?.server[how]();
    await lasting(forMs);
    await database?.server.up();
    if (!bypasses) return;
    await crew.metric(WRITABLE);
    crew.written();
  };

/** Again and again: the API server, or etcd, may be down itself, or about to start. */
async function compacted({ control }: Stage, how: "stale" | "open"): Promise<void> {
  const compact = () =>
    control("force-410", how).then(
      () => true,
      () => undefined,
    );
  await until(compact, "etcd to be compacted");
}

/** What each of them does; resolves when it is over. */
export const ACTS: Readonly<Record<Injection, Act>> = {
  "apiserver restart": async ({ control }, { forMs }) => {
    await control("down", "apiserver");
    await lasting(forMs);
    await control("up");
  },
  "compact stale": (stage) => compacted(stage, "stale"),
  "compact open": (stage) => compacted(stage, "open"),
  /** Cut off while Events come and go. */
  forget: async (stage, { size }) => {
    const { crew, maker } = stage.parts;
    for (const one of crew.replicas) one.road.begin("cut");
    await maker.burst(Math.round(5 + size * 20), { updates: 0.3 });
    await maker.forget();
    await compacted(stage, "stale");
    for (const one of crew.replicas) one.road.end();
  },
  "api stall": onWay(road, "stall"),
  "api half-open": onWay(road, "half-open"),
  "api cut": onWay(road, "cut"),
  "api truncate": onWay(road, "truncate"),
  "api drip": onWay(road, "drip"),
  "hook 500": answering("hook", "500"),
  "hook 429": answering("hook", "429"),
  "hook 400": answering("hook", "400"),
  "hook hang": answering("hook", "hang"),
  "hook reset": answering("hook", "reset"),
  "hook slow": answering("hook", "slow"),
  "hook stall": onWay(hookWay, "stall"),
  "hook cut": onWay(hookWay, "cut"),
  "hook truncate": onWay(hookWay, "truncate"),
  "chat busy": answering("chat", "busy"),
  "chat muted": answering("chat", "muted"),
  "chat refused": answering("chat", "refused"),
  "chat 500": answering("chat", "500"),
  "chat cut": onWay(chatWay, "cut"),
  "chat stall": onWay(chatWay, "stall"),
  "mysql down": database("down"),
  "mysql kill": database("kill"),
  kill: ({ parts }, step) => meant(parts, step).program.interrupt("SIGKILL", step.forMs / 4),
  terminate: ({ parts }, step) => meant(parts, step).program.interrupt("SIGTERM", step.forMs / 4),
  /** From the API server alone: its sinks and its ledger are there. */
  "cut off": async ({ parts }, step) => {
    const { line } = meant(parts, step);
    line.begin(step.size < 0.6 ? "cut" : "half-open");
    await lasting(DEPOSING_MS + step.forMs);
    line.end();
  },
  freeze: async ({ parts }, step) => {
    const { program, unwell } = meant(parts, step);
    const from = Date.now();
    await program.freeze(DEPOSING_MS + step.forMs);
    unwell.push({ from, to: Date.now() });
  },
  "disk full": async ({ disk, parts: { crew } }, { forMs, size }) => {
    const { program } = crew.leader;
    crew.unwritten();
    disk.fill();
    await lasting(forMs);
    // Every other time it does not live to see the end of it.
    if (size < 0.4) await program.interrupt("SIGKILL", 0);
    else if (size < 0.6) await program.interrupt("SIGTERM", 0);
    disk.makeRoom();
    await crew.metric(WRITABLE);
    crew.written();
  },
  clock: async ({ parts }, { size, forMs }) => {
    const { clock, unwell } = parts.crew.leader;
    const from = Date.now();
    clock.jump(Math.round((size - 0.5) * 240));
    await lasting(forMs);
    clock.jump(0);
    // Where it is set back the certificates are of tomorrow.
    unwell.push({ from, to: Date.now() });
  },
  /** What happens meanwhile is found by a list when it is too old; every other time the process ends while it lists. */
  blind: async (stage, { size }) => {
    const { crew, maker } = stage.parts;
    const { line, gateway, program } = crew.leader;
    line.begin("cut");
    await maker.burst(Math.round(5 + size * 40), { updates: 0.3 });
    await compacted(stage, "stale");
    await lasting((stage.maxAgeMs ?? 0) + 1_500);
    await maker.burst(3, { updates: 0 });
    const [, second] = NAMESPACES;
    if (size < 0.6) gateway.slow = { namespace: second, ms: LISTING_MS };
    const before = gateway.listed.length;
    line.end();
    if (gateway.slow === null) return;
    // Where there is one list for both it may be over by then.
    const began = Date.now();
    while (gateway.listed.length === before && Date.now() - began < LISTED_MS) await lasting(50);
    await lasting(LISTING_MS / 3);
    await program.interrupt(size < 0.3 ? "SIGKILL" : "SIGTERM", 200);
    gateway.slow = null;
  },
  burst: making(5, 60, 0.3),
  updates: making(5, 40, 0.9),
  large: making(2, 8, 0, true),
};
