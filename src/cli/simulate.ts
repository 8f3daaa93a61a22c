import { readFileSync } from "node:fs";
import { ConfigError } from "../config/config.ts";
import { parseListen } from "../config/grammar.ts";
import {
  parseRobots,
  type RobotOptions,
  type RunningSimulator,
  startSimulator,
} from "../simulate/index.ts";
import { jsonProblem } from "../template/json-problem.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { tellProblems } from "./problems.ts";

/** Examples, where any token will do. */
const ANY: readonly RobotOptions[] = [
  { platform: "dingtalk", token: "ops" },
  { platform: "lark", token: "ops" },
  { platform: "wecom", token: "ops" },
  { platform: "slack", token: "T0/B0/ops" },
  { platform: "hook", token: "ops" },
];

/** `kube-crier simulate`: the chat platforms in a box, until told to stop. */
export async function simulateCommand(
  options: { readonly listen: string; readonly robots?: string },
  io: Io,
): Promise<ExitCode> {
  try {
    const robots = options.robots === undefined ? null : readRobots(options.robots);
    const simulator = await openSimulator(options.listen, io, robots ?? [], robots !== null);
    io.stderr.write(
      [
        `the chats are shown at ${simulator.url}`,
        "",
        robots === null
          ? "sinks for it (any token is a robot of its own):"
          : `sinks for it (the robots of ${options.robots}, with their secrets; others are refused):`,
        ...(robots ?? ANY).map((robot) => `  --sink='${sinkFor(robot, simulator)}'`),
        "",
      ].join("\n"),
    );
    if (!io.signal.aborted)
      await new Promise<void>((resolve) =>
        io.signal.addEventListener("abort", () => resolve(), { once: true }),
      );
    await simulator.close();
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}

/** @throws ConfigError where the address cannot be had */
export async function openSimulator(
  listen: string,
  io: Io,
  robots: readonly RobotOptions[] = [],
  onlyConfigured = false,
): Promise<RunningSimulator> {
  const address = parseListen(listen);
  if (!address.ok)
    throw new ConfigError([{ where: "--listen", message: address.problem, hint: null }]);
  const { host, port } = address.value;
  try {
    return await startSimulator({
      clock: io.clock,
      host: host === "" ? "0.0.0.0" : host,
      port,
      robots,
      onlyConfigured,
    });
  } catch (error) {
    throw new ConfigError([
      {
        where: "--listen",
        message: error instanceof Error ? error.message : String(error),
        hint: null,
      },
    ]);
  }
}

function readRobots(file: string): readonly RobotOptions[] {
  const hint =
    'expected a JSON list like [{"platform":"dingtalk","token":"ops","secret":"SEC…","keywords":["alert"]}]';
  const refused = (message: string) =>
    new ConfigError([{ where: `--robots ${file}`, message, hint }]);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
  const problem = jsonProblem(text);
  if (problem !== null) throw refused(`is not JSON: ${problem}`);
  const parsed = parseRobots(JSON.parse(text));
  if ("robots" in parsed) return parsed.robots;
  throw new ConfigError(
    parsed.problems.map((message) => ({ where: `--robots ${file}`, message, hint })),
  );
}

/** The secret is in the file, and not repeated. Slack's channels, unlike its webhooks, have no slashes. */
function sinkFor({ platform, token }: RobotOptions, simulator: RunningSimulator): string {
  if (platform === "hook") return `webhook:${simulator.webhook(platform, token)}`;
  if (platform !== "slack" || token.includes("/"))
    return `${platform}:${simulator.webhook(platform, token)}`;
  return `slack:${simulator.url}/api/chat.postMessage?channel=${encodeURIComponent(token)}&token=TOKEN`;
}
