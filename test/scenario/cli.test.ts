import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FLAGS } from "../../src/config/options.ts";
import { crier } from "../support/crier.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { cli } from "../support/io.ts";

const EVENTS = path.resolve(import.meta.dirname, "../fixtures/events/kube-eventer.json");
const ALL = JSON.parse(readFileSync(EVENTS, "utf8")) as Record<string, Record<string, unknown>>;
const DINGTALK = "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=tok2&sign=SECabc";

let folder: string;
let inbox: Inbox;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-cli-"));
  inbox = await startInbox();
});

afterEach(async () => {
  await inbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: unknown): string {
  const place = path.join(folder, name);
  writeFileSync(place, typeof content === "string" ? content : JSON.stringify(content));
  return place;
}

const backoff = () => file("event.json", ALL["backoff"]);
const list = () => file("list.json", { kind: "List", apiVersion: "v1", items: Object.values(ALL) });
const data = () => `--data-dir=${path.join(folder, "data")}`;
const runFile = (source: string, ...args: string[]) =>
  cli(["run", `--source=file:${source}`, data(), ...args]);

describe("help", () => {
  it("shows every command, and every command shows its flags and an example", async () => {
    const { stdout, code } = await cli(["--help"]);
    expect(code).toBe(0);
    const commands = [
      "run",
      "check",
      "render",
      "send",
      "history",
      "dead",
      "simulate",
      "schema",
      "demo",
    ];
    for (const command of commands) {
      expect(stdout).toContain(`\n  ${command}`);
      const help = await cli([command, "--help"]);
      expect(help.code, command).toBe(0);
      expect(help.stdout, command).toMatch(/Examples:\n {2}\S/);
    }
  });

  it("explains each flag of the house, with its default", async () => {
    const { stdout } = await cli(["run", "--help"]);
    const words = stdout.replaceAll(/\s+/g, " ");
    for (const flag of FLAGS) {
      expect(words).toContain(flag.flag);
      expect(words).toContain(flag.description.replaceAll(/\s+/g, " "));
    }
  });

  it("prints the version of package.json", async () => {
    const { version } = JSON.parse(
      readFileSync(path.resolve(import.meta.dirname, "../../package.json"), "utf8"),
    ) as { version: string };
    expect(await cli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("did we even see it?", () => {
  it.each([
    ["owed", 0],
    ["all", Object.keys(ALL).length],
  ])("history-keeps=%s: of what no sink wanted, the history knows %i", async (keeps, known) => {
    const sink = `--sink=webhook:${inbox.url}?reasons=Nothing`;
    const run = await runFile(list(), sink, "--replay=1h", `--history-keeps=${keeps}`);
    expect(run.code).toBe(0);
    expect(inbox.requests).toEqual([]);
    const { stdout } = await cli([
      "history",
      "--kept=suppressed",
      "--why=noSink",
      "--json",
      data(),
    ]);
    const rows = stdout.split("\n").filter((line) => line !== "");
    expect(rows).toHaveLength(known);
    expect(rows.every((row) => row.includes('"suppressed":"noSink","deliveries":[]'))).toBe(true);
  });
});

describe("mistakes end with 2, name what was found and what to do", () => {
  it.each([
    ["an unknown command", ["rum"], /unknown command 'rum'[\s\S]*Did you mean run/],
    [
      "an unknown flag",
      ["run", "--sinc=x"],
      /--sinc: there is no such flag\s+→ did you mean --sink/,
    ],
    [
      "unknown flags and all else, without their values",
      ["run", "--sinc=s3cret", "--levle", "s3cret", "stdout:s3cret", "--timezone=Mars"],
      /^4 problems(?![\s\S]*s3cret)[\s\S]*--levle: there[\s\S]*--timezone[\s\S]*"stdout…": belongs to no flag/m,
    ],
    [
      "a value of a flag that takes none",
      ["check", "--stay=false", "--source=file:-"],
      /--stay: takes no value\s+→ give it alone, or leave it out/,
    ],
    [
      "what stands behind --, where nothing is a flag",
      ["check", "--source=file:-", "--", "--sink=stdout:"],
      /--sink: there is no such flag/,
    ],
    ["an unknown flag of history", ["history", "--sinc=x"], /unknown option '--sinc…'/],
    [
      "an unknown flag of history, without its value, whatever is in that",
      ["history", "--limt=s3cret'\ns3cret"],
      /^error: unknown option '--limt…'\n\(Did you mean --limit\?\)\nsee (?![\s\S]*s3cret)/,
    ],
    [
      "a URL for a ledger behind a flag that is none",
      ["ledger", "check", "--ledgr=mysql://crier:s3cret@db/crier"],
      /unknown option '--ledgr…'(?![\s\S]*s3cret)/,
    ],
    [
      "a sink without its dashes",
      ["sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=s3cret"],
      /unknown command 'sink…'(?![\s\S]*s3cret)/,
    ],
    [
      "words that belong to no flag",
      ["dead", "list", "mysql://crier:s3cret@db/crier", "it's s3cret"],
      /too many arguments for 'list'\. Expected 0 arguments but got 2\.\n(?![\s\S]*s3cret)/,
    ],
    [
      "an unknown sink",
      ["check", "--sink=dingtak:https://x"],
      /--sink #1: .*dingtak[\s\S]*dingtalk/,
    ],
    [
      "an unknown option of a sink",
      ["check", `--sink=${DINGTALK}&mgs_type=text`],
      /--sink #1: .*mgs_type[\s\S]*msg_type/,
    ],
    [
      "an unknown level",
      ["check", `--sink=${DINGTALK}&level=Error`],
      /--sink #1: .*Warning[\s\S]*Error/,
    ],
    ["a bad regex", ["check", "--reasons=/(/"], /--reasons/],
    ["a bad time zone", ["check", "--timezone=Asia/Shangai"], /--timezone: [\s\S]*Asia\/Shanghai/],
    [
      "a missing variable",
      ["check", "--sink=webhook:${NOWHERE}"],
      /--sink #1: .*NOWHERE is not set/,
    ],
    [
      "a missing kubeconfig",
      ["check", "--source=kubernetes:?kubeconfig=/nowhere/config"],
      /\/nowhere\/config/,
    ],
    ["a missing file source", ["check", "--source=file:/nowhere.json"], /nowhere\.json/],
    [
      "a missing template directory",
      ["check", "--source=file:-", "--templates=/nowhere"],
      /there is no directory \/nowhere/,
    ],
    [
      "a bad time",
      ["history", "--since=yesterday", "--data-dir=/nowhere"],
      /--since: "yesterday" cannot be read/,
    ],
    ["a ledger that is not there", ["history", "--data-dir=/nowhere"], /there is no ledger/],
    ["an event that is none", ["render", "--event=-", "--sink=stdout:"], /expected an Event/],
    ["render without an event", ["render", "--sink=stdout:"], /--event/],
    [
      "a sink that is not there",
      ["send", "--sink=stdout:", "--to=nobody"],
      /there is no sink "nobody"[\s\S]*stdout/,
    ],
  ])("%s", async (_, argv, text) => {
    const { code, stderr } = await cli(argv, { env: { HOME: folder } });
    expect(stderr).toMatch(text);
    expect(code).toBe(2);
  });

  it("says all of them at once", async () => {
    const { code, stderr } = await cli([
      "run",
      data(),
      "--source=file:/nowhere.json",
      "--templates=/nowhere",
      `--sink=${DINGTALK}`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("2 problems, nothing was started");
    expect(stderr).toContain("/nowhere.json");
    expect(stderr).toContain("there is no directory /nowhere");
  });

  it("points into a template by line and column, with the name that was meant", async () => {
    const template = file("webhook.hbs", 'line one\n{"text": "{{mesage}}"}');
    const { code, stderr } = await cli([
      "check",
      "--source=file:-",
      `--sink=webhook:http://127.0.0.1:1/x?body_file=${template}`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${template}:2:`);
    expect(stderr).toContain("message");
  });

  it("finds at start that a body would not be JSON", async () => {
    const template = file("body.hbs", '{"text": {{message}} }');
    const { code, stderr } = await cli([
      "check",
      "--source=file:-",
      `--sink=webhook:http://127.0.0.1:1/x?body_file=${template}`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("JSON");
  });

  it("never shows a secret", async () => {
    const secrets = ["tok2-very-secret", "SEC-very-secret"];
    const sink = `dingtalk:http://127.0.0.1:9/robot/send?access_token=${secrets[0]}&sign=${secrets[1]}`;
    for (const argv of [
      ["check", "--source=file:-", `--sink=${sink}`],
      ["check", `--sink=${sink}&level=Error`],
      ["render", `--event=${backoff()}`, `--sink=${sink}`],
      ["send", "--dry-run", `--sink=${sink}`],
    ]) {
      const { stdout, stderr } = await cli(argv);
      for (const secret of secrets) expect(stdout + stderr, argv.join(" ")).not.toContain(secret);
    }
  });
});

describe("render", () => {
  it("prints the exact request as JSON, secrets only with --reveal", async () => {
    const hidden = await cli(["render", `--sink=${DINGTALK}`, `--event=${backoff()}`]);
    const revealed = await cli([
      "render",
      `--sink=${DINGTALK}`,
      `--event=${backoff()}`,
      "--reveal",
    ]);
    const [request] = JSON.parse(hidden.stdout) as Record<string, string>[];
    const [whole] = JSON.parse(revealed.stdout) as Record<string, string>[];
    expect(Object.keys(request ?? {})).toEqual(["method", "url", "headers", "body"]);
    expect(request?.["method"]).toBe("POST");
    expect(request?.["url"]).toMatch(/^https:\/\/oapi\.dingtalk\.com\/<redacted>/);
    expect(whole?.["url"]).toMatch(
      /^https:\/\/oapi\.dingtalk\.com\/robot\/send\?access_token=tok2&sign=[\w%]+&timestamp=\d{13}$/,
    );
    expect(JSON.parse(request?.["body"] ?? "")).toEqual(JSON.parse(whole?.["body"] ?? ""));
  });

  it("takes a List, both API groups and standard input", async () => {
    const { stdout } = await cli([
      "render",
      `--event=${list()}`,
      "--sink=webhook:http://127.0.0.1:1/x",
    ]);
    expect(JSON.parse(stdout)).toHaveLength(Object.keys(ALL).length);
    const regarding = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "x.1", namespace: "shop", uid: "u" },
      eventTime: "2026-11-20T11:00:00.123456Z",
      reason: "FailedScheduling",
      type: "Warning",
      note: "no room",
      regarding: { kind: "Pod", namespace: "shop", name: "web-0" },
    };
    const piped = await cli(["render", "--event=-", "--sink=webhook:http://127.0.0.1:1/x"], {
      stdin: JSON.stringify(regarding),
    });
    expect(piped.stdout).toContain("no room");
  });

  it("prints the text of a template", async () => {
    const template = file("mine.hbs", "{{reason}} on {{object.name}}: {{message}}");
    const { stdout, code } = await cli([
      "render",
      `--template=${template}`,
      `--event=${backoff()}`,
    ]);
    expect({ stdout, code }).toEqual({
      stdout: "BackOff on web-7d4b9c: Back-off restarting failed container web in pod web-7d4b9c\n",
      code: 0,
    });
  });

  it("escapes and parses a template that is JSON", async () => {
    const nasty = file("nasty.json", ALL["nasty"]);
    const good = file("good.hbs", '{"text": "{{message}}"}');
    const result = await cli(["render", `--template=${good}`, `--event=${nasty}`]);
    expect(JSON.parse(result.stdout)).toEqual({ text: expect.stringContaining('exec: "sh') });
    const bad = file("bad.hbs", '{"text": {{message}} }');
    const { code, stderr } = await cli(["render", `--template=${bad}`, `--event=${nasty}`]);
    expect(code).toBe(3);
    expect(stderr).toContain("not valid JSON");
  });
});

describe("run on a file", () => {
  it("delivers what matches and ends with 0", async () => {
    const { code, stderr } = await runFile(
      list(),
      `--sink=webhook:${inbox.url}/hook?level=Warning`,
      "--cluster-name=prod-a",
    );
    expect(code, stderr).toBe(0);
    const warnings = Object.values(ALL).filter((event) => event["type"] !== "Normal").length;
    expect(inbox.requests).toHaveLength(warnings);
    expect(new Set(inbox.requests.map((request) => request.headers["idempotency-key"])).size).toBe(
      warnings,
    );
    expect(
      inbox.requests.every(
        (request) =>
          (JSON.parse(request.body) as { event: { cluster: string } }).event.cluster === "prod-a",
      ),
    ).toBe(true);
  });

  it("ends with 3 when something is dead, says why, and dead retry owes it again", async () => {
    inbox.reply({ status: 400, body: "no such channel" });
    const first = await runFile(backoff(), `--sink=webhook:${inbox.url}/hook`);
    expect(first.code).toBe(3);
    expect(first.stderr).toContain("no such channel");
    const dead = await cli(["dead", "list", "--json", data()]);
    const row = JSON.parse(dead.stdout) as { id: string; reason: string; detail: string };
    expect(row).toMatchObject({
      reason: "rejected",
      sink: "webhook",
      what: "BackOff Pod web-7d4b9c",
    });
    expect((await cli(["dead", "list", data()])).stdout).toContain(row.id);
    expect((await cli(["dead", "retry", "nonsense", data()])).code).toBe(3);
    expect(await cli(["dead", "retry", row.id, data()])).toMatchObject({
      code: 0,
      stderr: "1 delivery is owed again\n",
    });
    inbox.reply({ status: 200, body: "ok" });
    const second = await runFile(
      file("empty.json", { kind: "List", items: [] }),
      `--sink=webhook:${inbox.url}/hook`,
    );
    expect(second.code, second.stderr).toBe(0);
    expect(inbox.requests.map((request) => request.headers["idempotency-key"])).toEqual([
      row.id,
      row.id,
    ]);
  });

  it("tells an occurrence once, however often the file is read", async () => {
    for (let round = 0; round < 3; round += 1)
      expect((await runFile(backoff(), `--sink=webhook:${inbox.url}/hook`)).code).toBe(0);
    expect(inbox.requests).toHaveLength(1);
  });

  it("takes the longest times there are", async () => {
    const longest = ["history", "replay", "max-age", "digest-every"].map(
      (one) => `--${one}=36500d`,
    );
    const sink = `--sink=webhook:${inbox.url}/hook?giveUpAfter=36500d&timeout=24h`;
    const { code, stderr } = await runFile(backoff(), sink, ...longest);
    expect(code, stderr).toBe(0);
    expect(inbox.requests).toHaveLength(1);
    const { stdout } = await cli(["history", data(), "--since=36500d"]);
    expect(stdout).toContain("BackOff");
  });

  it("shows in history what happened and who was told", async () => {
    await runFile(list(), `--sink=webhook:${inbox.url}/hook?name=audit`);
    const { stdout } = await cli(["history", data(), "--reason=BackOff"]);
    expect(stdout).toMatch(/BackOff\s+shop\/Pod web-7d4b9c\s+✓audit\s+Back-off restarting/);
    const json = await cli(["history", data(), "--json", "--kind=Node"]);
    const rows = json.stdout
      .trim()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            event: { object: { kind: string } };
            deliveries: { sink: string; state: string }[];
          },
      );
    expect(rows.map((row) => row.event.object.kind)).toEqual(["Node"]);
    expect(rows[0]?.deliveries).toEqual([
      expect.objectContaining({ sink: "audit", state: "delivered" }),
    ]);
    expect((await cli(["history", data(), "--namespace=nowhere"])).stderr).toContain(
      "nothing in the ledger fits",
    );
  });

  it("reads standard input, and says where the input is broken", async () => {
    const good = await cli(["run", "--source=file:-", data(), `--sink=webhook:${inbox.url}/hook`], {
      stdin: `${JSON.stringify(ALL["backoff"])}\n`,
    });
    expect(good.code).toBe(0);
    const bad = await cli(["run", "--source=file:-", data(), `--sink=webhook:${inbox.url}/hook`], {
      stdin: `${JSON.stringify(ALL["oom"])}\n{"kind": oops}\n`,
    });
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(/standard input:2:/);
    expect(inbox.requests).toHaveLength(2);
  });

  it("refuses a data directory that another one uses", async () => {
    const stop = new AbortController();
    const first = cli(
      ["run", `--source=file:${backoff()}`, data(), "--stay", `--sink=webhook:${inbox.url}/hook`],
      { signal: stop.signal },
    );
    await inbox.received(1);
    const second = await runFile(backoff(), `--sink=webhook:${inbox.url}/hook`);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain("another kube-crier is running on it");
    stop.abort();
    expect((await first).code).toBe(0);
  });

  it("prints to standard output and nothing else there", async () => {
    const { stdout } = await runFile(backoff(), "--sink=stdout:?format=json");
    expect(JSON.parse(stdout)).toMatchObject({ event: { reason: "BackOff" } });
  });
});

describe("send", () => {
  it("prints what each platform answered, and ends with 3 when one refuses", async () => {
    inbox.reply((request) =>
      request.url.startsWith("/bad")
        ? { status: 403, body: "forbidden here" }
        : { status: 200, body: "thanks" },
    );
    const { code, stderr } = await cli([
      "send",
      `--sink=webhook:${inbox.url}/good?name=good`,
      `--sink=webhook:${inbox.url}/bad?name=bad`,
    ]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/good\s+accepted\s+HTTP 200: thanks/);
    expect(stderr).toMatch(/bad\s+permanent\s+HTTP 403: forbidden here/);
    expect(inbox.requests[0]?.body).toContain("test alert");
    await cli([
      "send",
      "--to=good",
      `--sink=webhook:${inbox.url}/good?name=good`,
      `--sink=webhook:${inbox.url}/bad?name=bad`,
    ]);
    expect(inbox.requests.map((request) => request.url)).toEqual(["/good", "/bad", "/good"]);
  });

  it("sends nothing in a dry run", async () => {
    const { code, stdout } = await cli(["send", "--dry-run", `--sink=webhook:${inbox.url}/x`]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(1);
    expect(inbox.requests).toHaveLength(0);
  });
});

it("schema prints a JSON Schema that knows every sink", async () => {
  const { stdout } = await cli(["schema"]);
  expect(JSON.parse(stdout)).toMatchObject({ $schema: expect.stringContaining("json-schema.org") });
  for (const type of ["dingtalk", "lark", "wecom", "slack", "webhook", "stdout"])
    expect(stdout).toContain(`"const": "${type}"`);
});

describe("as a process", () => {
  it("runs from the sources, keeps tokens out of the process list, and takes SIGTERM", async () => {
    const { Crier } = await import("../support/crier.ts");
    const process = new Crier([
      "run",
      `--source=file:${backoff()}`,
      data(),
      "--stay",
      "--listen=127.0.0.1:0",
      `--sink=webhook:${inbox.url}/hook?secret_path=very-secret-token`,
    ]);
    try {
      await process.ready();
      await inbox.received(1);
      const shown = readFileSync(`/proc/${process.pid}/cmdline`, "utf8");
      expect(shown).not.toContain("very-secret-token");
      process.kill("SIGTERM");
      expect(await process.ended()).toBe(0);
      expect(process.stderr).not.toContain("very-secret-token");
      expect(process.log.at(-1)).toMatchObject({
        received: 1,
        delivered: 1,
        dead: 0,
        pending: 0,
        lost: 0,
      });
    } finally {
      await process.destroy();
    }
  });

  it("names a mistake on the command line and ends with 2", async () => {
    const { code, stdout, stderr } = await crier(["run", "--sinc=x"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("--sink");
  });
});
