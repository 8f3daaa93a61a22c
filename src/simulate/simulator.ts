import type { Clock } from "../clock.ts";
import { Hono, bodyLimit, cutConnection, type Context, type NodeEnv } from "../web/server.ts";
import { parseCommand, type Command } from "./command.ts";
import { mountControl } from "./control.ts";
import { dingtalk } from "./dingtalk.ts";
import { Faults } from "./fault.ts";
import { hook } from "./hook.ts";
import { lark } from "./lark.ts";
import { PLATFORMS, type Platform, type ReceivedMessage, type RobotOptions } from "./message.ts";
import { messageOf, readArrival, respond } from "./intake.ts";
import { mountPage } from "./page.ts";
import type { Arrival, Judgement, PlatformRules } from "./platform.ts";
import { Robot, robotKey } from "./robot.ts";
import { slackApi, slackWebhook } from "./slack.ts";
import { MessageStore } from "./store.ts";
import { wecom } from "./wecom.ts";

export interface SimulatorOptions {
  readonly clock: Clock;
  /** There from the start, with their names, secrets and keywords. */
  readonly robots?: readonly RobotOptions[];
  /** `true`: a token nobody configured is refused, as the platforms do. Default: it becomes a robot. */
  readonly onlyConfigured?: boolean;
  /** Messages kept, at most 64 MB of bodies. Default 2000. */
  readonly keep?: number;
  /** IANA name for the times on the page; default the process's. */
  readonly timeZone?: string;
}

export interface Simulator {
  readonly app: Hono<NodeEnv>;
  /** All requests that reached a robot, oldest first. */
  messages(robot?: string): readonly ReceivedMessage[];
  /** Resolves with the shown messages once there are `count`. */
  shown(count: number, robot?: string): Promise<readonly ReceivedMessage[]>;
  /** Called with each message from now on. @returns how to stop */
  subscribe(listener: (message: ReceivedMessage) => void): () => void;
  /** The same as `POST /_control`; throws on what that answers 400. */
  control(command: Command): void;
  state(): SimulatorState;
  /** Ends what hangs. */
  stop(): void;
}

export interface SimulatorState {
  readonly robots: readonly RobotSummary[];
  readonly faults: ReturnType<Faults["list"]>;
}

export interface RobotSummary {
  readonly robot: string;
  readonly platform: Platform;
  readonly name: string;
  readonly signed: boolean;
  readonly keywords: readonly string[];
  readonly counts: Readonly<Record<ReceivedMessage["state"], number>>;
}

const MAX_BODY = 8 * 1024 * 1024;
/** More than anyone configures; a bound on what invented tokens may cost. */
const MAX_ROBOTS = 500;
const LIMITS: Readonly<Record<Platform, PlatformRules["limit"]>> = {
  dingtalk: dingtalk.limit,
  lark: lark.limit,
  wecom: wecom.limit,
  slack: slackWebhook.limit,
  hook: hook.limit,
};

/** The chat platforms in a box. Times come from `clock`; nothing is sent anywhere. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { clock, onlyConfigured = false } = options;
  const robots = new Map<string, Robot>();
  const offsets = new Map<string, number>();
  const faults = new Faults();
  const store = new MessageStore(options.keep ?? 2000);
  const stopped = new AbortController();
  let changes = 0;

  const addRobot = (added: RobotOptions): Robot => {
    const robot = new Robot(added, LIMITS[added.platform]());
    robots.set(robot.key, robot);
    return robot;
  };
  for (const robot of options.robots ?? []) addRobot(robot);

  const findRobot = (platform: Platform, token: string): Robot | null => {
    const known = robots.get(robotKey(platform, token));
    if (known !== undefined) return known;
    return onlyConfigured || robots.size >= MAX_ROBOTS ? null : addRobot({ platform, token });
  };

  function control(command: Command): void {
    const checked = parseCommand(command);
    if ("problems" in checked) throw new Error(`simulator: ${checked.problems.join("; ")}`);
    const target = checked.robot ?? "*";
    const { platform, token } = splitTarget(target);
    const one = token === null ? null : (robots.get(target) ?? addRobot({ platform, token }));
    if (checked.fault !== undefined) faults.set(target, checked.fault, clock.now());
    if (checked.clockOffsetSeconds !== undefined)
      offsets.set(target, checked.clockOffsetSeconds * 1000);
    one?.configure(checked);
    const meant = [...robots.values()].filter((robot) => targetsOf(robot).includes(target));
    if (checked.resetLimits === true) for (const robot of meant) robot.resetLimits();
    if (checked.clear === true) store.clear();
    changes += 1;
  }

  function record(
    arrival: Arrival,
    robot: Robot | null,
    platform: Platform,
    judgement: Judgement,
    state: ReceivedMessage["state"],
  ): void {
    const key = robot?.key ?? robotKey(platform, "unknown");
    const message = messageOf({ arrival, platform, robot: key, judgement, state, at: clock.now() });
    robot?.count(state);
    if (message.idempotencyKey !== null) robot?.remember(message.idempotencyKey);
    store.add(message);
  }

  async function receive(c: Context<NodeEnv>, rules: PlatformRules): Promise<Response> {
    const arrival = await readArrival(c, clock.now());
    const { platform } = rules;
    const token = rules.token(arrival);
    const robot = token === null ? null : findRobot(platform, token);
    if (robot === null) {
      const judgement = rules.unknown(token);
      record(arrival, null, platform, judgement, "refused");
      return respond(judgement);
    }
    const met = faults.take(targetsOf(robot), clock.now());
    if (met !== null && met.fault.kind !== "lost") {
      const { fault } = met;
      const status = fault.kind === "status" ? fault.status : 0;
      const answer = { status, body: (fault.kind === "status" ? fault.body : undefined) ?? "" };
      const code = fault.kind === "status" ? String(status) : fault.kind;
      const judgement: Judgement = { kind: "refused", code, message: "injected fault", answer };
      record(arrival, robot, platform, judgement, "failed");
      if (fault.kind === "status") return respond(judgement);
      if (fault.kind === "hang") {
        const over = AbortSignal.any([stopped.signal, c.req.raw.signal]);
        await clock.sleep(met.until - clock.now(), over);
      }
      return cutConnection(c);
    }
    const offset = targetsOf(robot).map((target) => offsets.get(target));
    const now = clock.now() + (offset.find((ms) => ms !== undefined) ?? 0);
    const judgement = rules.judge({ ...arrival, now }, robot);
    record(arrival, robot, platform, judgement, judgement.kind);
    return met === null ? respond(judgement) : cutConnection(c);
  }

  const app = new Hono<NodeEnv>();
  app.use(bodyLimit(MAX_BODY));
  app.post("/robot/send", (c) => receive(c, dingtalk));
  app.post("/open-apis/bot/v2/hook/*", (c) => receive(c, lark));
  app.post("/cgi-bin/webhook/send", (c) => receive(c, wecom));
  app.post("/services/*", (c) => receive(c, slackWebhook));
  app.post("/api/chat.postMessage", (c) => receive(c, slackApi));
  app.all("/hook", (c) => receive(c, hook));
  app.all("/hook/*", (c) => receive(c, hook));

  const simulator: Simulator = {
    app,
    messages: (robot) => store.list(robot),
    shown: (count, robot) => store.shown(count, robot),
    subscribe: (listener) => store.subscribe(listener),
    control,
    state: () => ({
      robots: [...robots.values()].map(summary),
      faults: faults.list(clock.now()),
    }),
    stop: () => stopped.abort(),
  };
  mountControl(app, simulator);
  mountPage(app, simulator, {
    version: () => `${store.lastId}.${changes}`,
    timeZone: options.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  return simulator;
}

/** From the narrowest to the widest. */
function targetsOf(robot: Robot): string[] {
  return [robot.key, robot.options.platform, "*"];
}

function splitTarget(target: string): { platform: Platform; token: string | null } {
  const slash = target.indexOf("/");
  const name = slash === -1 ? target : target.slice(0, slash);
  const platform = PLATFORMS.find((known) => known === name) ?? "hook";
  return { platform, token: slash === -1 ? null : target.slice(slash + 1) };
}

function summary(robot: Robot): RobotSummary {
  const { platform, token, name = token, secret, keywords = [] } = robot.options;
  const signed = secret !== undefined;
  return { robot: robot.key, platform, name, signed, keywords, counts: robot.counts };
}
