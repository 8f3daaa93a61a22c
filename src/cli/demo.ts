import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Summary } from "../app/app.ts";
import { loadConfig } from "../config/load.ts";
import type { RunningSimulator } from "../simulate/index.ts";
import { readEvents } from "../source/file/read.ts";
import { sinks as registry } from "../../sinks/index.ts";
import type { ExitCode, Io } from "./io.ts";
import type { DemoOptions } from "./program/commands.ts";
import { tellProblems } from "./problems.ts";
import { exitCodeOf, runConfig } from "./run.ts";
import { openSimulator } from "./simulate.ts";

/** Beside this file in the sources, below it in the bundle. */
const EVENTS = [
  path.join(import.meta.dirname, "../demo/events.jsonl"),
  path.join(import.meta.dirname, "demo/events.jsonl"),
];

/** `kube-crier demo`: a bundled hour of a troubled cluster through the real pipeline, into two simulated chats and the ledger. */
export async function demoCommand(options: DemoOptions, io: Io): Promise<ExitCode> {
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
    const { url: chats } = simulator;
    const events = EVENTS.find((file) => existsSync(file)) ?? EVENTS[0] ?? "";
    const { config, origin } = loadConfig({
      registry,
      env: io.env,
      flags: {
        source: [`file:${events}`],
        sink: [
          `dingtalk:${simulator.webhook("dingtalk", "ops")}&name=dingtalk-on-call&level=Warning&lang=${options.lang}`,
          `lark:${simulator.webhook("lark", "shop")}?name=lark-shop&level=Warning&namespaces=shop&lang=${other}`,
        ],
        clusterName: "prod-a",
        dataDir,
        logLevel: "warn",
        listen: "127.0.0.1:0",
        webListen: options.webListen,
        historyKeeps: "all",
        // Messages lead to the page, where its port is known by now.
        ...(options.webListen.endsWith(":0") ? {} : { externalUrl: `http://${options.webListen}` }),
        ...(options.once === true ? {} : { stay: true }),
      },
    });
    const hour = hourOf(events);
    const served = (page: string) =>
      void io.stderr.write(
        [
          "",
          "  An hour of a troubled cluster goes through kube-crier now: a node fails, containers crash, images are missing.",
          `  Open ${page}/?${hour}&lang=${options.lang}`,
          "    to see what happened, and who was told; and",
          `  ${chats}`,
          "    to see the two chats as people would see them.",
          "",
          "  DingTalk takes 20 messages a minute: what exceeds that is folded into one digest after a few seconds.",
          `  The same in a terminal:  npm run -s kube-crier -- history --data-dir=${dataDir}`,
          options.once === true ? "" : "  Ctrl-C ends it.",
          "",
        ].join("\n"),
      );
    const summary = await runConfig(config, io, {
      warnings: [],
      notices: [],
      origin,
      served,
    });
    io.stdout.write(summaryText(summary, simulator));
    return exitCodeOf(summary);
  } catch (error) {
    return tellProblems(error, io);
  } finally {
    await simulator?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The time of the bundled events, as the page is asked for it: they are not of the last hour. */
function hourOf(file: string): string {
  const events = readEvents(readFileSync(file, "utf8"), "", "");
  const times = events.map(({ lastSeen }) => Date.parse(lastSeen)).toSorted((a, b) => a - b);
  const at = (ms: number) => new Date(ms).toISOString().replace(".000", "");
  const minute = 60_000;
  const from = Math.floor((times[0] ?? 0) / minute) * minute;
  const to = Math.ceil(((times.at(-1) ?? 0) + 1) / minute) * minute;
  return new URLSearchParams({ from: at(from), to: at(to) }).toString();
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
