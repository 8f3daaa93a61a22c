import { describe, expect, it, onTestFinished } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier, type CrierOptions, until } from "../support/crier.ts";
import { startInbox } from "../support/inbox.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { kubeconfigFor } from "../support/source.ts";

const SECRET = "f00dcafe-abc123";
const ADDRESS = `https://oapi.dingtalk.com/robot/send?access_token=${SECRET}`;

function start(args: readonly string[], options: CrierOptions = {}): Crier {
  const crier = new Crier(args, options);
  onTestFinished(() => crier.destroy());
  return crier;
}

/** A mistake of ours, made when the process is told SIGUSR2. */
function mistaken(statement: string): Readonly<Record<string, string>> {
  const module = `process.on("SIGUSR2",()=>{${statement}})`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
}

async function story() {
  const [api, inbox] = [await FakeApiServer.start(), await startInbox()];
  onTestFinished(() => Promise.all([api.close(), inbox.close()]).then(() => undefined));
  const dataDir = temporaryDirectory();
  const args = [
    "run",
    `--source=kubernetes:?kubeconfig=${kubeconfigFor(api)}`,
    `--sink=webhook:${inbox.url}/hook`,
    `--data-dir=${dataDir}`,
    "--listen=127.0.0.1:0",
  ];
  return { api, inbox, dataDir, args };
}

describe("a mistake of the program itself", { timeout: 60_000 }, () => {
  it("ends it with 70, and what is owed is told by the next one, with the same key", async () => {
    const { api, inbox, dataDir, args } = await story();
    const crier = start(args, { env: mistaken('throw new Error("?")') });
    inbox.reply("hang");
    await crier.ready();
    api.create("one");
    const request = await inbox.received(1);
    crier.kill("SIGUSR2");
    expect(await crier.ended()).toBe(70);
    const history = openHistory(dataDir, "read");
    const [row] = history.deliveries({});
    history.close();
    expect(row).toMatchObject({ state: "pending", attempts: 0 });
    inbox.reply({ status: 200 });
    const next = start(args);
    await next.ready();
    const again = await inbox.received(2);
    expect(again.headers["idempotency-key"]).toBe(request.headers["idempotency-key"]);
    next.kill("SIGINT");
    expect(await next.ended()).toBe(0);
  });

  it("in what reads events: ends it with 70 as well, says who it was, and gives no secret away", async () => {
    const { api, inbox, args } = await story();
    const broken = `Date.parse=()=>{throw new TypeError(${JSON.stringify(`no ${ADDRESS}`)})}`;
    const crier = start([...args, "--stay"], {
      env: mistaken(`${broken};process.stderr.write("mistaken\\n")`),
    });
    await crier.ready();
    api.create("one");
    await inbox.received(1);
    crier.kill("SIGUSR2");
    await crier.says("mistaken");
    api.create("two");
    expect(await crier.ended()).toBe(70);
    expect(crier.log).toContainEqual(
      expect.objectContaining({ level: "error", msg: expect.stringMatching(/^kubernetes: no /) }),
    );
    expect(crier.stderr).toMatch(/^kube-crier: an error of the program itself, /m);
    expect(crier.stderr).not.toContain(SECRET);
  });

  it.each([
    ["that is thrown", `throw new TypeError(${JSON.stringify(`no ${ADDRESS}`)})`],
    ["in a promise nobody waits for", `Promise.reject(new Error(${JSON.stringify(ADDRESS)}))`],
    ["that is no Error", `throw ${JSON.stringify(ADDRESS)}`],
  ])("%s: asks for a report, without a secret in it", async (_, statement) => {
    const crier = start(["simulate", "--listen=127.0.0.1:0"], { env: mistaken(statement) });
    await until(() => /http:\/\//.test(crier.stdout + crier.stderr) || undefined, "its address");
    crier.kill("SIGUSR2");
    expect(await crier.ended()).toBe(70);
    expect(crier.stderr).toMatch(
      /^kube-crier: an error of the program itself, please report it: .*access_token=<redacted>/m,
    );
    expect(crier.stderr).not.toContain(SECRET);
  });
});

describe("told to stop while it starts", { timeout: 60_000 }, () => {
  it("while it waits for the ledger's database: with 0, and the sinks are told of nothing", async () => {
    const inbox = await startInbox();
    onTestFinished(() => inbox.close());
    const crier = start([
      "run",
      "--source=file:-",
      `--sink=webhook:${inbox.url}/hook`,
      // Nobody listens there.
      `--ledger=mysql://crier:${SECRET}@127.0.0.1:9/crier`,
      `--data-dir=${temporaryDirectory()}`,
    ]);
    await crier.says("the ledger is away, and waited for");
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
    expect(inbox.requests).toEqual([]);
    expect(crier.stderr).not.toContain(SECRET);
  });

  it("with the API server away: with 0, and it says nothing of errors", async () => {
    const { api, args } = await story();
    await api.down();
    const crier = start(args);
    await crier.says("trying again");
    crier.kill("SIGINT");
    expect(await crier.ended()).toBe(0);
    expect(crier.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});
