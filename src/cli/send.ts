import { randomUUID } from "node:crypto";
import { createSender, httpClient } from "../app/senders.ts";
import { type Config, ConfigError, type SinkConfig } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { newDelivery } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { prepare, tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";
import { composeAll } from "./render.ts";
import { table } from "./table.ts";
import { readVersion } from "./version.ts";

/** `kube-crier send`: one test alert to each sink, and what the platform answered. */
export async function sendCommand(
  flags: FlagValues,
  options: { readonly to?: readonly string[]; readonly dryRun?: true },
  io: Io,
): Promise<ExitCode> {
  try {
    const { config: all, templates, warnings } = await prepare(flags, io);
    tellWarnings(warnings, io);
    const config = { ...all, sinks: chosen(all, options.to ?? []) };
    const event = testEvent(config.cluster, io.clock.now());
    if (options.dryRun === true) {
      const { shown, refused } = composeAll(config, templates, [event], false, io);
      io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
      for (const text of refused) io.stderr.write(`${text}\n`);
      return refused.length === 0 ? EXIT.ok : EXIT.failed;
    }
    const client = httpClient(readVersion());
    const rows: string[][] = [];
    try {
      for (const sink of config.sinks) {
        const template = templates.get(sink.name);
        if (template === undefined) continue;
        const sender = createSender(config, sink, template, {
          client,
          stdout: io.stdout,
          clock: io.clock,
          observer: {
            messageCut: () => undefined,
            notice: () => undefined,
            warning: (message) => void io.stderr.write(`warning: ${message}\n`),
          },
        });
        const now = io.clock.now();
        const alert = { kind: "event", event } as const;
        const delivery = newDelivery(randomUUID(), sink.name, alert, now);
        const { verdict, answer } = await sender.send(delivery, io.signal, now);
        await sender.close();
        rows.push([sink.name, verdict.kind, verdict.kind === "accepted" ? answer : verdict.detail]);
      }
    } finally {
      client.close();
    }
    io.stderr.write(table(["sink", "verdict", "answer"], rows));
    return rows.every(([, verdict]) => verdict === "accepted") ? EXIT.ok : EXIT.failed;
  } catch (error) {
    return tellProblems(error, io);
  }
}

function chosen(config: Config, to: readonly string[]): readonly SinkConfig[] {
  const names = config.sinks.map((sink) => sink.name);
  const issues = to
    .filter((name) => !names.includes(name))
    .map((name) => ({
      where: "--to",
      message: `there is no sink "${name}"`,
      hint: `the configuration has ${names.join(", ")}`,
    }));
  if (issues.length > 0) throw new ConfigError(issues);
  return to.length === 0 ? config.sinks : config.sinks.filter((sink) => to.includes(sink.name));
}

/** An event that nobody can take for a real one. */
function testEvent(cluster: string, now: number): KubeEvent {
  const seen = new Date(now).toISOString();
  const uid = randomUUID();
  return {
    key: `${uid}@1`,
    uid,
    resourceVersion: "0",
    eventName: "kube-crier-test",
    eventNamespace: "default",
    cluster,
    type: "Normal",
    reason: "TestAlert",
    message:
      "This is a test alert of kube-crier. Nothing happened. 这是 kube-crier 的测试告警，没有发生任何故障。",
    action: null,
    object: {
      kind: "Pod",
      apiVersion: "v1",
      namespace: "default",
      name: "kube-crier-test",
      uid: null,
      fieldPath: null,
    },
    related: null,
    reporter: { component: "kube-crier", host: null, instance: null },
    count: 1,
    firstSeen: seen,
    lastSeen: seen,
  };
}
