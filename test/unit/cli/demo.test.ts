import { existsSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../src/clock.ts";
import { main } from "../../../src/cli/main.ts";
import { FakeClock } from "../../support/clock.ts";
import { cli } from "../../support/io.ts";
import { watchTraffic } from "../../support/traffic.ts";

/** A demo that has begun: its page and its chats can be asked. */
async function demo(clock: Clock, ...argv: string[]) {
  const stop = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  const opened = new Promise<{ page: string; url: string }>((resolve) => {
    stderr.setEncoding("utf8").on("data", (text: string) => {
      said.stderr += text;
      const [, page, url] = /Open (http:\S+)[^]*?\n +(http:\S+)\n/.exec(said.stderr) ?? [];
      if (page !== undefined && url !== undefined) resolve({ page, url });
    });
  });
  const ended = { code: null as number | null };
  const running = main(["demo", "--listen=127.0.0.1:0", "--web-listen=127.0.0.1:0", ...argv], {
    stdin: Readable.from([""]),
    stdout,
    stderr,
    env: {},
    clock,
    signal: stop.signal,
  }).then((code) => (ended.code = code));
  const { page, url } = await opened;
  const shown = async () =>
    ((await (await fetch(`${url}/messages.json?state=shown`)).json()) as { messages: unknown[] })
      .messages.length;
  while ((await shown()) < 5) await new Promise((resolve) => setImmediate(resolve));
  const dataDir = /--data-dir=(\S+)/.exec(said.stderr)?.[1] ?? "";
  return { page, url, said, stop, running, ended, dataDir };
}

describe("demo", () => {
  it("--once: an hour of trouble in two chats within half a minute, every event accounted for", async () => {
    const traffic = watchTraffic();
    const clock = new FakeClock("2026-11-20T08:00:00Z", () => traffic.calm());
    const { said, ended, dataDir } = await demo(clock, "--once");
    for (let second = 0; second < 30 && ended.code === null; second += 1)
      await clock.advance(1_000);
    traffic.stop();
    expect(ended.code, said.stderr).toBe(0);
    const [read, filtered, known, owed] = [...said.stdout.matchAll(/\d+/g)].map(Number);
    expect(read).toBeGreaterThan(100);
    expect(read).toBe((filtered ?? 0) + (known ?? 0) + (owed ?? 0));
    expect(said.stdout).toMatch(/0 still owed, 0 dead/);
    expect(said.stdout).toMatch(/DingTalk 值班群: \d+ messages shown, 0 refused/);
    expect(said.stdout).toMatch(/Lark shop team: \d+ messages shown, 0 refused/);
    expect(said.stdout).toMatch(/[1-9]\d* events told in digests/);
    expect(existsSync(dataDir), "its ledger was its own").toBe(false);
  });

  it("stays until it is told to stop; its page and its ledger can be looked at meanwhile", async () => {
    const { page, url, stop, running, dataDir } = await demo(systemClock, "--lang=en");
    const chats = await (await fetch(url)).text();
    expect(chats).toContain("DingTalk on-call");
    expect(chats).toContain("飞书 商城团队");
    const accept = { headers: { accept: "text/html" } };
    // What it says to open shows the bundled hour, whenever that is opened.
    const events = await (await fetch(page, accept)).text();
    expect(events).toMatch(/NodeNotReady|BackOff/);
    expect(events).toContain("prod-a");
    const total = await fetch(page.replace("/?", "/api/v1/timeline?").replace("&lang=en", ""));
    expect(((await total.json()) as { total: number }).total).toBeGreaterThan(100);
    const sinks = await (await fetch(new URL("/sinks", page), accept)).text();
    expect(sinks).toContain("dingtalk-on-call");
    expect(sinks).toContain("lark-shop");
    const history = await cli(["history", `--data-dir=${dataDir}`, "--limit=5"]);
    expect(history.stdout.split("\n").length).toBeGreaterThan(5);
    stop.abort();
    expect(await running).toBe(0);
    expect(existsSync(dataDir)).toBe(false);
  });

  it("at an address that is none says so", async () => {
    const { code, stderr } = await cli(["demo", "--once", "--listen=127.0.0.1:nonsense"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--listen");
  });
});
