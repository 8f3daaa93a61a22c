import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { cli } from "../support/io.ts";
import { kubeconfigFor } from "../support/source.ts";
import { World } from "../support/world.ts";

/** Everything that is a password, long enough to be found wherever it might turn up. */
const SECRETS = {
  dingtalkToken: "dingtoken-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  dingtalkSign: "SECsign-5f4dcc3b5aa765d61d8327deb882cf99",
  larkHook: "larkhook-7b52009b64fd-0a2a49e6d8192113915c2",
  larkSign: "larksign-d8578edf8458ce06fbc5bb76a58c5ca4",
  wecomKey: "wecomkey-25d55ad283aa400af464c76d713c07ad",
  slackPath: "T0SECRETX/B0SECRETY/slackhook-e99a18c428cb38d5f260853678922e03",
  slackBot: "xoxb-slackbot-0d107d09f5bbe40cade3de5c71e9e9b7",
  hookQuery: "hookquery-1a1dc91c907325c69271ddf0c944bc72",
  hookHeader: "hookheader-827ccb0eea8a706c4c34a16891f84e7b",
  hookSign: "hooksign-5ebe2294ecd0e0f08eab7690d2a6ee69",
  kubeToken: "kubetoken-7c6a180b36896a0a8c02787eeafb0e4c",
} as const;

/** The secrets that can be read in a text, in clear, percent-encoded or in base64. */
function readable(text: string): string[] {
  return Object.entries(SECRETS).flatMap(([name, secret]) => {
    const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
    // Half a secret is one too.
    return [...forms, secret.slice(-20)].some((form) => text.includes(form)) ? [name] : [];
  });
}

it("no secret is in the logs, the metrics, the history, the ledger's bytes or what any command prints, come what may", async () => {
  const world = await World.begin();
  const chats = await world.chats();
  const inbox = await world.inbox();
  const kubeconfig = kubeconfigFor(world.api, { token: SECRETS.kubeToken }, {}, world.dir);
  const hook = `${inbox.url}/hook`;
  const sink = [
    `dingtalk:${chats.webhook("dingtalk", SECRETS.dingtalkToken)}&sign=${SECRETS.dingtalkSign}&lang=en`,
    `lark:${chats.webhook("lark", SECRETS.larkHook)}?sign=${SECRETS.larkSign}`,
    `wecom:${chats.webhook("wecom", SECRETS.wecomKey)}`,
    `slack:${chats.webhook("slack", SECRETS.slackPath)}`,
    `slack:${chats.url}/api/chat.postMessage?name=bot&token=${SECRETS.slackBot}&channel=C1`,
    `webhook:${hook}/echo?name=echo&code=${SECRETS.hookQuery}&header=X-Api-Key=${SECRETS.hookHeader}&signing_secret=${SECRETS.hookSign}`,
    `webhook:${hook}/deaf?name=deaf&code=${SECRETS.hookQuery}`,
  ];
  // A receiver that quotes the whole request back: URL, headers and body, in the ways servers do.
  inbox.reply((request) =>
    request.url.startsWith("/hook/deaf")
      ? "reset"
      : {
          status: inbox.requests.length % 2 === 0 ? 400 : 200,
          body: {
            error: `no route for ${request.url}`,
            header: request.headers["x-api-key"],
            echo: request.body,
          },
        },
  );
  const flags = { source: [`kubernetes:?kubeconfig=${kubeconfig}`], sink };
  const life = await world.watching(flags);
  const printed: string[] = [];
  const happen = async (from: number, to: number) => {
    for (let n = from; n < to; n += 1) world.api.create(`event-${n}`);
    await world.pass(5);
  };
  await happen(0, 3);
  for (const platform of ["dingtalk", "lark", "wecom", "slack"] as const)
    chats.control({
      robot: platform,
      fault: { kind: "status", status: 502, body: "<html>bad gateway</html>", seconds: 30 },
    });
  await happen(3, 6);
  chats.control({ robot: "dingtalk", clockOffsetSeconds: 7200 });
  await world.pass(60);
  await happen(6, 30);
  await world.api.down();
  await world.pass(30);
  await world.api.up();
  world.api.answer(
    { status: 401, headers: {}, body: `invalid bearer token ${SECRETS.kubeToken}` },
    undefined,
    2,
  );
  await world.pass(60);
  printed.push(await life.metrics.text());
  await life.stop();
  printed.push(life.log);

  // It all did happen.
  expect(life.tally.delivered).toBeGreaterThan(50);
  expect(life.tally.dead).toBeGreaterThan(5);
  expect(new Set(life.observed.of("attemptFailed").map(([name]) => name)).size).toBe(7);
  expect(inbox.requests[0]?.url, "the receivers do get them").toContain(SECRETS.hookQuery);
  const received = JSON.stringify([chats.messages(), inbox.requests, world.api.requests]);
  expect(readable(received)).toEqual(
    expect.arrayContaining(["dingtalkToken", "larkHook", "slackBot", "hookHeader", "kubeToken"]),
  );

  const commands = [
    ["history", "--json", "--limit=1000"],
    ["history"],
    ["dead", "list", "--json"],
    ["dead", "list"],
  ];
  for (const command of commands) {
    const { stdout, stderr } = await cli([...command, `--data-dir=${world.dataDir}`]);
    expect(stdout.length).toBeGreaterThan(50);
    printed.push(stdout, stderr);
  }
  const event = world.file("event.json");
  writeFileSync(event, JSON.stringify(world.api.create("rendered")));
  const sinks = sink.map((one) => `--sink=${one}`);
  const args = [`--source=${flags.source[0]}`, ...sinks];
  for (const command of [
    ["check", ...args],
    ["check", ...args, "--level=nonsense"],
    [
      "check",
      ...args.map((arg) => arg.replace("&lang=", "&lnag=").replace("code=", "retry=x&code=")),
    ],
    ["render", `--event=${event}`, ...sinks],
    ["send", "--dry-run", ...sinks],
    ["send", ...sinks],
  ]) {
    const { stdout, stderr } = await cli(command);
    expect(stdout.length + stderr.length, command[0]).toBeGreaterThan(50);
    printed.push(stdout, stderr);
  }
  expect(readable(printed.join("\n"))).toEqual([]);

  const files = readdirSync(world.dataDir);
  expect(files).toContain("ledger.db");
  for (const name of files) {
    const bytes = readFileSync(path.join(world.dataDir, name), "latin1");
    expect(readable(bytes), name).toEqual([]);
  }
  // Only --reveal shows them, and only there.
  const revealed = await cli(["render", "--reveal", `--event=${event}`, ...sinks]);
  expect(readable(revealed.stdout)).toContain("dingtalkToken");
});
