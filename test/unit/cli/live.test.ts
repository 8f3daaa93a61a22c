import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { LiveLine } from "../../../src/cli/live.ts";
import { main } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/clock.ts";
import { FakeClock } from "../../support/clock.ts";
import { Terminal } from "../../support/terminal.ts";

describe("the live line", () => {
  it("is renewed in place, and stays below what is logged", async () => {
    const terminal = new Terminal();
    const clock = new FakeClock();
    const live = new LiveLine(terminal);
    let received = 0;
    const stop = live.show(() => `${received} received`, clock);
    await clock.advance(0);
    expect(terminal.rows).toEqual(["0 received"]);
    live.write("a line of the log\n");
    expect(terminal.rows).toEqual(["a line of the log", "0 received"]);
    received = 7;
    await clock.advance(250);
    expect(terminal.rows).toEqual(["a line of the log", "7 received"]);
    stop();
    expect(terminal.rows).toEqual(["a line of the log", ""]);
  });

  it("is never as wide as the terminal, where it would wrap and could not be renewed", async () => {
    const terminal = new Terminal();
    const clock = new FakeClock();
    const stop = new LiveLine(terminal).show(() => "x".repeat(200), clock);
    await clock.advance(0);
    expect(terminal.rows[0]?.length).toBeLessThan(terminal.columns);
    stop();
  });

  it("is shown on a terminal that does not know how wide it is", async () => {
    const terminal = new Terminal();
    terminal.columns = 0;
    const clock = new FakeClock();
    const stop = new LiveLine(terminal).show(() => "1 received", clock);
    await clock.advance(0);
    expect(terminal.rows).toEqual(["1 received"]);
    stop();
  });

  it("makes way for what is written to standard output, when that is the same terminal", async () => {
    const terminal = new Terminal();
    const clock = new FakeClock();
    const live = new LiveLine(terminal);
    const stop = live.show(() => "1 received", clock);
    await clock.advance(0);
    const stdout = live.sharing(terminal);
    await new Promise((resolve) => stdout.write("an alert\n", resolve));
    expect(terminal.rows).toEqual(["an alert", "1 received"]);
    stop();
  });

  it("tells the writer, and nobody else, that the terminal has gone", async () => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EIO")) });
    gone.on("error", () => undefined);
    const stdout = new LiveLine(new Terminal()).sharing(gone);
    const error = await new Promise((resolve) => stdout.write("an alert\n", resolve));
    expect(error).toMatchObject({ message: "EIO" });
  });
});

describe("run on a terminal", () => {
  const events = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-live-")), "events.json");
  writeFileSync(
    events,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "web.1", namespace: "shop", uid: "1", resourceVersion: "1" },
      involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container",
    }),
  );

  async function run(env: Readonly<Record<string, string>> = {}): Promise<Terminal> {
    const terminal = new Terminal();
    const argv = ["run", `--source=file:${events}`, "--data-dir=:memory:", "--sink=stdout:"];
    const code = await main(argv, {
      stdin: Readable.from([]),
      stdout: terminal,
      stderr: terminal,
      env,
      clock: systemClock,
      signal: new AbortController().signal,
    });
    expect(code).toBe(0);
    return terminal;
  }

  it("says what was received, delivered, is pending and dead, and mixes it with no alert", async () => {
    const terminal = await run({ NO_COLOR: "1" });
    expect(terminal.seen).toContain("0 received, 0 delivered, 0 pending, 0 dead");
    const alerts = terminal.rows.filter((row) => row.includes("kubectl -n shop describe pod web"));
    expect(alerts).toEqual([expect.stringMatching(/^🟠 /u)]);
    expect(terminal.rows.at(-1)).toBe("");
    expect(terminal.rows.join("\n")).toContain(
      "stopped: 1 received, 1 delivered, 0 still owed, 0 dead",
    );
  });

  it("shows no live line on a terminal that cannot renew one", async () => {
    const terminal = await run({ TERM: "dumb" });
    expect(terminal.seen.filter((row) => row.includes("0 pending"))).toEqual([]);
  });
});
