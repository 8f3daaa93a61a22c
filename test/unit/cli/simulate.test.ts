import { writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/clock.ts";
import { cli } from "../../support/io.ts";
import { temporaryDirectory } from "../../support/ledger.ts";

/** A simulator that runs until the test stops it. */
async function simulate(...argv: string[]) {
  const stop = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let said = "";
  const listening = new Promise<string>((resolve) => {
    stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
  const running = main(["simulate", "--listen=127.0.0.1:0", ...argv], {
    stdin: Readable.from([""]),
    stdout,
    stderr,
    env: {},
    clock: systemClock,
    signal: stop.signal,
  });
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { url: await listening, said: () => said, stop, running };
}

const sinksIn = (text: string) =>
  [...text.matchAll(/--sink='([^']+)'/g)].map(([, sink]) => sink ?? "");

describe("simulate", () => {
  it("says where to look and which sinks to use, and each of them works as it stands", async () => {
    const { url, said, stop, running } = await simulate();
    const sinks = sinksIn(said());
    expect(sinks.map((sink) => sink.split(":")[0])).toEqual([
      "dingtalk",
      "lark",
      "wecom",
      "slack",
      "webhook",
    ]);
    const { code, stderr } = await cli(["send", ...sinks.map((sink) => `--sink=${sink}`)]);
    expect(code, stderr).toBe(0);
    const page = await (await fetch(url)).text();
    expect(page).toContain("Nothing happened");
    stop.abort();
    expect(await running).toBe(0);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("plays the robots of a file: their secrets are asked for, other tokens are refused", async () => {
    const robots = path.join(temporaryDirectory(), "robots.json");
    writeFileSync(
      robots,
      JSON.stringify([{ platform: "dingtalk", token: "ops", secret: "SECabc", name: "值班群" }]),
    );
    const { url } = await simulate(`--robots=${robots}`);
    const send = (sink: string) => cli(["send", `--sink=${sink}`]);
    const robot = `dingtalk:${url}/robot/send?access_token=ops`;
    expect((await send(`${robot}&sign=SECabc`)).code).toBe(0);
    expect((await send(robot)).stderr).toMatch(/permanent\s+310000/);
    expect((await send(`dingtalk:${url}/robot/send?access_token=other`)).stderr).toMatch(/300001/);
    expect(await (await fetch(url)).text()).toContain("值班群");
  });

  it("names the robots of a file, and each of them works as it stands", async () => {
    const robots = path.join(temporaryDirectory(), "robots.json");
    writeFileSync(
      robots,
      JSON.stringify([
        { platform: "lark", token: "sre" },
        { platform: "slack", token: "T1/B1/x" },
        { platform: "slack", token: "C1" },
        { platform: "hook", token: "a/b" },
      ]),
    );
    const { url, said } = await simulate(`--robots=${robots}`);
    expect(said()).not.toContain("any token");
    expect(said()).toContain(`the robots of ${robots}, with their secrets; others are refused`);
    const sinks = sinksIn(said());
    expect(sinks).toEqual([
      `lark:${url}/open-apis/bot/v2/hook/sre`,
      `slack:${url}/services/T1/B1/x`,
      `slack:${url}/api/chat.postMessage?channel=C1&token=TOKEN`,
      `webhook:${url}/hook/a/b`,
    ]);
    const { code, stderr } = await cli(["send", ...sinks.map((sink) => `--sink=${sink}`)]);
    expect(code, stderr).toBe(0);
  });

  it.each([
    ["an address that is none", ["--listen=nowhere:x"], /--listen: /],
    [
      "a file that is not there",
      ["--listen=127.0.0.1:0", "--robots=/nowhere.json"],
      /--robots \/nowhere\.json: ENOENT[\s\S]*expected a JSON list/,
    ],
  ])("%s is one clear message, exit code 2", async (_, argv, words) => {
    const { code, stderr } = await cli(["simulate", ...argv]);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
  });

  it("says where a file of robots stops being JSON, without what stands around it", async () => {
    const robots = path.join(temporaryDirectory(), "robots.json");
    writeFileSync(robots, '[\n  {"secret": "SEC-made-up" "token": "x"}\n]\n');
    const { code, stderr } = await cli(["simulate", `--robots=${robots}`, "--listen=127.0.0.1:0"]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--robots ${robots}: is not JSON: line 2, column 28 (position 29): `);
    expect(stderr).not.toContain("made-up");
    writeFileSync(robots, "[]x");
    const { stderr: behind } = await cli(["simulate", `--robots=${robots}`]);
    expect(behind).toContain("line 1, column 3");
  });

  it("says of a robot without a platform that it is missing", async () => {
    const robots = path.join(temporaryDirectory(), "robots.json");
    writeFileSync(robots, '[{"token":"x"}]');
    const { stderr } = await cli(["simulate", `--robots=${robots}`]);
    expect(stderr).toContain(
      "[0]: platform is missing; expected dingtalk, lark, wecom, slack, hook",
    );
  });

  it("names everything wrong in a file of robots", async () => {
    const robots = path.join(temporaryDirectory(), "robots.json");
    writeFileSync(robots, '[{"platform":"dingding","token":"x"},{"platform":"lark"}]');
    const { code, stderr } = await cli(["simulate", `--robots=${robots}`, "--listen=127.0.0.1:0"]);
    expect(code).toBe(2);
    expect(stderr).toContain("2 problems");
    expect(stderr).toContain("dingding");
    expect(stderr).toContain("token");
  });

  it("on a port that is taken says so", async () => {
    const { url } = await simulate();
    const { port } = new URL(url);
    const { code, stderr } = await cli(["simulate", `--listen=127.0.0.1:${port}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: another program listens there`);
  });
});
