import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import log from "../../sinks/log.ts";
import { compileFilter } from "../../src/pipeline/filter.ts";
import type { Message } from "../../src/sink/index.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const open = (out: NodeJS.WritableStream) =>
  log.create(optionsFor(log, {}), { ...quietIo(), stdout: out });

async function written(...messages: readonly Message[]): Promise<string> {
  const out = new PassThrough();
  const sink = open(out);
  for (const message of messages)
    expect(await sink.deliver(message, never)).toEqual({ kind: "accepted" });
  await sink.close();
  return String(out.read());
}

/** Reads a line by the rules of logfmt (https://brandur.org/logfmt): pairs with a space between, a value plain or in quotes with escapes. */
function read(line: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let rest = line;
  while (rest !== "") {
    const pair = /^([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"=]*))(?: |$)/.exec(rest);
    if (pair === null) throw new Error(`no pair at: ${rest}`);
    const [whole, name = "", quoted, plain = ""] = pair;
    if (Object.hasOwn(fields, name)) throw new Error(`${name} stands there twice`);
    fields[name] = quoted === undefined ? plain : (JSON.parse(`"${quoted}"`) as string);
    rest = rest.slice(whole.length);
  }
  return fields;
}

describe("the log", () => {
  it("has one line for each event, and in it all that is known of it", async () => {
    const text = await written(aMessage(), aMessage({ event: anEvent({ count: 13 }) }));
    expect(text.split("\n")).toEqual([
      'time=2026-11-20T08:05:30Z level=warn type=Warning reason=BackOff kind=Pod namespace=shop name=web-7d4b9c count=12 msg="Back-off restarting failed container web in pod web-7d4b9c" first=2026-11-20T08:00:00Z component=kubelet host=node-1 cluster=prod-a field_path=spec.containers{web} object_uid=0c0ffee0-1111-2222-3333-444455556666 uid=6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11 resource_version=81234',
      expect.stringContaining(" count=13 "),
      "",
    ]);
  });

  it("says nothing of what is not known", async () => {
    const event = anEvent({
      cluster: "",
      object: { kind: "Node", namespace: null, name: "node-3", uid: null, fieldPath: null },
      reporter: { component: null, host: null },
    });
    expect(Object.keys(read((await written(aMessage({ event }))).trimEnd()))).toEqual([
      "time",
      "level",
      "type",
      "reason",
      "kind",
      "name",
      "count",
      "msg",
      "first",
      "uid",
      "resource_version",
    ]);
  });

  it.each([
    ["info", "info", "Normal"],
    ["warning", "warn", "Warning"],
    ["critical", "error", "Warning"],
    ["warning", "warn", "Strange"],
  ] as const)("calls what is %s %s", async (severity, level, type) => {
    const text = await written(aMessage({ severity, event: anEvent({ type }) }));
    expect(read(text.trimEnd())).toMatchObject({ level, type });
  });

  it("tells a gap as a line of its own, and no digest: its events have their lines", async () => {
    const gap = aMessage({ event: null, alert: aGap(), severity: "notice" });
    expect(read((await written(gap)).trimEnd())).toMatchObject({
      time: "2026-11-20T02:09:00Z",
      level: "warn",
      reason: "HistoryGap",
      kind: "Cluster",
      name: "prod-a",
      msg: "Events between 2026-11-20T02:02:00Z and 2026-11-20T02:09:00Z could not be seen: not running, or cut off, for longer than the cluster keeps events.",
    });
    const out = new PassThrough();
    const verdict = await open(out).deliver(aMessage({ event: null, alert: aDigest() }), never);
    expect(verdict).toMatchObject({ kind: "permanent", reason: "rejected" });
    expect(out.read()).toBeNull();
  });

  it.each([
    ["quotes and backslashes", 'say "hi" \\ \\n'],
    ["lines", "one\ntwo\r\nthree\ttab"],
    ["a forged field", "x level=info uid=forged"],
    ["a forged line", "x\ntime=2026-01-01T00:00:00Z level=error msg=forged"],
    ["colours and a bell", "\u001b[31mred\u0007\u009b2J"],
    ["direction marks", "abc\u202egnp\u2066.exe\u2028"],
    ["Chinese and emoji", "容器 👩‍👩‍👧 é"],
    ["half a character", "\ud83d"],
    ["nothing but an equals sign", "="],
    ["ten thousand characters", "x ".repeat(5_000)],
  ])("keeps %s of a message inside its value", async (_, message) => {
    const text = await written(aMessage({ event: anEvent({ message, reason: "A=b c" }) }));
    expect(text.split("\n")).toHaveLength(2);
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066]/u);
    const fields = read(text.trimEnd());
    expect(fields["msg"]).toBe(message);
    expect(fields["reason"]).toBe("A=b c");
    expect(fields["level"]).toBe("warn");
  });

  it("stays owed where nobody reads, and where the reader has gone", async () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => undefined });
    const stop = new AbortController();
    const delivering = open(stuck).deliver(aMessage(), stop.signal);
    stop.abort();
    expect(await delivering).toMatchObject({ kind: "retryable" });
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
    gone.on("error", () => undefined);
    expect(await open(gone).deliver(aMessage(), never)).toMatchObject({
      kind: "retryable",
      detail: "standard output is closed: its reader has gone",
    });
  });
});

describe("--sink=log", () => {
  it.each(["log", "log:"])("%s writes every event and folds none, as in kube-eventer", (uri) => {
    const { sink } = sinkFrom(uri);
    expect(sink.definition.type).toBe("log");
    expect(sink.digest).toBe(false);
    expect(compileFilter(sink.filter)(anEvent({ type: "Normal" }))).toBe(true);
  });
});
