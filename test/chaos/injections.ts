import type { Injection, Step } from "./schedule.ts";
import type { Stage } from "./stage.ts";
import type { Fault, Way } from "./way.ts";
import type { Answer, Receiver } from "./receiver.ts";

type Act = (stage: Stage, step: Step) => Promise<void>;

const WRITABLE = /^kube_crier_ledger_writable 1$/m;
const lasting = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const onWay =
  (which: "road" | "hookWay" | "chatWay", fault: Fault): Act =>
  async ({ parts }, { forMs, size }) => {
    const way: Way = parts[which];
    way.begin(fault, Math.floor(size * 3_000));
    await lasting(forMs);
    way.end();
  };

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
  async ({ database, bypasses, parts: { program } }, { forMs }) => {
    if (bypasses) program.unwrittenSince = Date.now();
    await database?.server[how]();
    await lasting(forMs);
    await database?.server.up();
    if (!bypasses) return;
    await program.metric(WRITABLE);
    program.unwrittenSince = null;
  };

/** What each of them does; resolves when it is over. */
export const ACTS: Readonly<Record<Injection, Act>> = {
  "apiserver restart": async ({ control }, { forMs }) => {
    await control("down", "apiserver");
    await lasting(forMs);
    await control("up");
  },
  "compact stale": async ({ control }) => void (await control("force-410", "stale")),
  "compact open": async ({ control }) => void (await control("force-410", "open")),
  /** Cut off while Events come and go. */
  forget: async (stage, { size }) => {
    const { road, maker } = stage.parts;
    road.begin("cut");
    await maker.burst(Math.round(5 + size * 20), { updates: 0.3 });
    await maker.forget();
    await stage.control("force-410", "stale");
    road.end();
  },
  "api stall": onWay("road", "stall"),
  "api half-open": onWay("road", "half-open"),
  "api cut": onWay("road", "cut"),
  "api truncate": onWay("road", "truncate"),
  "api drip": onWay("road", "drip"),
  "hook 500": answering("hook", "500"),
  "hook 429": answering("hook", "429"),
  "hook 400": answering("hook", "400"),
  "hook hang": answering("hook", "hang"),
  "hook reset": answering("hook", "reset"),
  "hook slow": answering("hook", "slow"),
  "hook stall": onWay("hookWay", "stall"),
  "hook cut": onWay("hookWay", "cut"),
  "hook truncate": onWay("hookWay", "truncate"),
  "chat busy": answering("chat", "busy"),
  "chat muted": answering("chat", "muted"),
  "chat refused": answering("chat", "refused"),
  "chat 500": answering("chat", "500"),
  "chat cut": onWay("chatWay", "cut"),
  "chat stall": onWay("chatWay", "stall"),
  "mysql down": database("down"),
  "mysql kill": database("kill"),
  kill: ({ parts }, { forMs }) => parts.program.interrupt("SIGKILL", forMs / 4),
  terminate: ({ parts }, { forMs }) => parts.program.interrupt("SIGTERM", forMs / 4),
  "disk full": async ({ disk, parts: { program } }, { forMs, size }) => {
    program.unwrittenSince = Date.now();
    disk.fill();
    await lasting(forMs);
    // Every other time it does not live to see the end of it.
    if (size < 0.4) await program.interrupt("SIGKILL", 0);
    else if (size < 0.6) await program.interrupt("SIGTERM", 0);
    disk.makeRoom();
    await program.metric(WRITABLE);
    program.unwrittenSince = null;
  },
  clock: async ({ clock }, { size, forMs }) => {
    clock.jump(Math.round((size - 0.5) * 240));
    await lasting(forMs);
    clock.jump(0);
  },
  burst: making(5, 60, 0.3),
  updates: making(5, 40, 0.9),
  large: making(2, 8, 0, true),
};
