import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Summary } from "../app/app.ts";
import { loadConfig } from "../config/load.ts";
import type { RunningSimulator } from "../simulate/index.ts";
import { sinks as registry } from "../../sinks/index.ts";
import type { ExitCode, Io } from "./io.ts";
import { tellProblems } from "./problems.ts";
import { exitCodeOf, runConfig } from "./run.ts";
import { openSimulator } from "./simulate.ts";

/** Beside this file in the sources, below it in the bundle. */
const EVENTS = [
  path.join(import.meta.dirname, "../demo/events.jsonl"),
  path.join(import.meta.dirname, "demo/events.jsonl"),
];

/** `kube-crier demo`: a bundled hour of a troubled cluster through the real pipeline, into two simulated chats and the ledger. */
export async function demoCommand(
  options: { readonly once?: true; readonly listen: string; readonly lang: string },
  io: Io,
): Promise<ExitCode> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-demo-"));
  let simulator: RunningSimulator | null = null;
  try {
    const other = options.lang === "zh" ? "en" : "zh";
    simulator = await openSimulator(options.listen, io, [
      {
        platform: "dingtalk",
        token: "ops",
        name: options.lang === "zh" ? "DingTalk 值班群" : "DingTalk on-call",
      },
      {
        platform: "lark",
        token: "shop",
        name: other === "zh" ? "飞书 商城团队" : "Lark shop team",
      },
    ]);
    const { config } = loadConfig({
      registry,
      env: io.env,
      flags: {
        source: [`file:${EVENTS.find((file) => existsSync(file)) ?? EVENTS[0]}`],
        sink: [
          `dingtalk:${simulator.webhook("dingtalk", "ops")}&name=dingtalk-on-call&level=Warning&lang=${options.lang}`,
          `lark:${simulator.webhook("lark", "shop")}?name=lark-shop&level=Warning&namespaces=shop&lang=${other}`,
        ],
        clusterName: "prod-a",
        dataDir,
        logLevel: "warn",
        listen: "127.0.0.1:0",
        ...(options.once === true ? {} : { stay: true }),
      },
    });
    io.stderr.write(
      [
        "",
        "  An hour of a troubled cluster goes through kube-crier now: a node fails, containers crash, images are missing.",
        `  Open ${simulator.url} to see the two chats as people would see them.`,
        "",
        "  DingTalk takes 20 messages a minute: what exceeds that is folded into one digest after a few seconds.",
        `  What happened, and who was told:  npm run -s kube-crier -- history --data-dir=${dataDir}`,
        options.once === true ? "" : "  Ctrl-C ends it.",
        "",
      ].join("\n"),
    );
    const summary = await runConfig(config, io, { warnings: [], notices: [] });
    io.stdout.write(summaryText(summary, simulator));
    return exitCodeOf(summary);
  } catch (error) {
    return tellProblems(error, io);
  } finally {
    await simulator?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function summaryText(summary: Summary, simulator: RunningSimulator): string {
  const chats = simulator
    .state()
    .robots.map(
      (robot) =>
        `  ${robot.name}: ${robot.counts.shown} messages shown, ${robot.counts.refused} refused\n`,
    );
  const { received, filtered, suppressed, enqueued } = summary;
  return [
    `\n${received} events read: ${filtered} filtered, ${suppressed} told before, ${enqueued} owed to a chat\n`,
    `${summary.delivered} messages delivered, ${summary.folded} events told in digests, ${summary.pending} still owed, ${summary.dead} dead\n`,
    ...chats,
  ].join("");
}
