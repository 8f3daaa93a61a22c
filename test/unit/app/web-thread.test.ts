import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { once } from "node:events";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type FileLedger, openLedger } from "../../../src/ledger/open.ts";
import { threadsOfOurs } from "../../support/threads.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { anEvent } from "../../support/events.ts";
import { accessFile, bearer } from "../../support/guarded.ts";
import { anEntry, countingIds, never } from "../../support/ledger.ts";
import { NOTHING_RUNS } from "../../support/live.ts";
import { html, json, MORTAL, pageRig } from "../../support/page-thread.ts";
import { kubeconfigFor } from "../../support/source.ts";

const TIMEOUT = 120_000;

type Rig = ReturnType<typeof pageRig>;
let clock: Rig["clock"];
let dataDir: string;
let logged: Rig["logged"];
let aPage: Rig["aPage"];
let served: Rig["served"];
let said: Rig["said"];
let errors: Rig["errors"];

beforeEach(() => {
  ({ clock, dataDir, logged, aPage, served, said, errors } = pageRig());
});

function aLedgerOfAProgram(): FileLedger {
  const ledger = openLedger({
    dataDir,
    clock,
    observer: logged.observer,
    makeId: countingIds(),
    historyMs: 86_400_000,
    maxBytes: 1e9,
  });
  onTestFinished(async () => void (await ledger.close()));
  return ledger;
}

async function aDeadLetter(ledger: FileLedger): Promise<string> {
  await ledger.outbox.add([anEntry(1, ["ops"])], [], never);
  const [delivery] = ledger.outbox.due("ops", clock.now(), 1, new Set());
  const id = delivery?.id ?? "";
  ledger.outbox.settle(id, {
    kind: "dead",
    at: clock.now(),
    reason: "rejected",
    detail: "no",
    counted: true,
  });
  // Written before anybody else is asked.
  ledger.outbox.pending("ops", clock.now());
  return id;
}

async function change(page: string, id: string, act: "retry" | "discard") {
  const { csrf } = (await json(`${page}/api/v1/whoami`)) as { csrf: string };
  const answer = await fetch(`${page}/api/v1/deliveries/${id}/${act}`, {
    method: "POST",
    headers: { origin: page, "sec-fetch-site": "same-origin", "x-csrf-token": csrf },
  });
  return { status: answer.status, text: await answer.text() };
}

describe("the page in a thread of its own", { timeout: TIMEOUT }, () => {
  it("tells of what runs in this one: sinks, what is wrong, who leads", async () => {
    let leader = "crier-1";
    const { url, observer } = await served(
      {},
      {
        ...NOTHING_RUNS,
        standby: () => ({ leader }),
        lane: () => ({
          state: "paused",
          until: clock.now() + 60_000,
          inFlight: 2,
          budget: { count: 20, perMs: 60_000, left: 4 },
        }),
      },
    );
    observer.delivered("ops", "d1", 70, 1);
    observer.attemptFailed("ops", "d2", "network", "connection refused", 100, 1);
    expect(await json(`${url}/api/v1/sinks`)).toMatchObject({
      sinks: [
        {
          name: "ops",
          type: "webhook",
          state: "paused",
          inFlight: 2,
          latencyMs: { p50: 70, p99: 70 },
          lastError: { reason: "network", detail: "connection refused" },
        },
      ],
    });
    expect(await html(`${url}/?lang=en`)).toContain("This replica stands by: crier-1 watches");
    leader = "crier-2";
    await expect.poll(() => html(`${url}/?lang=en`)).toContain("stands by: crier-2 watches");
    observer.ledgerTrouble("the disk is full");
    await expect.poll(() => html(`${url}/?lang=zh`)).toContain("账本无法写入：the disk is full");
  });

  it("shows the configuration of this one, whatever has become of its file and its secrets since", async () => {
    const file = path.join(dataDir, "config.yaml");
    const secret = path.join(dataDir, "secret");
    writeFileSync(secret, "s3cret-of-a-file\n");
    writeFileSync(
      file,
      `cluster: prod-a\nsinks:\n  ops:\n    type: webhook\n    url: http://127.0.0.1:9/\n    signingSecret: { $file: ${secret} }\n`,
    );
    const made = aPage({ flags: { config: [file], sink: [] } });
    writeFileSync(file, "cluster: prod-b\nsinks: { another: { type: stdout } }\n");
    writeFileSync(secret, "");
    const { url } = await made.page.open(NOTHING_RUNS, made.stop.signal);
    const config = await json(`${url}/api/v1/config`);
    expect(config["cluster"]).toBe("prod-a");
    expect(JSON.stringify(config)).toContain(`${file}:`);
    expect(JSON.stringify(config)).not.toContain("s3cret");
    expect(await json(`${url}/api/v1/sinks`)).toMatchObject({ sinks: [{ name: "ops" }] });
    expect(await html(`${url}/configuration?lang=en`)).not.toContain("s3cret");
  });

  it("changes what this one's ledger holds, and shows it at once", async () => {
    const ledger = aLedgerOfAProgram();
    const { url } = await served({}, { ...NOTHING_RUNS, history: () => ledger.history });
    const id = await aDeadLetter(ledger);
    let woken = 0;
    ledger.outbox.onAdded("ops", () => (woken += 1));
    expect(await json(`${url}/api/v1/deliveries?state=dead`)).toMatchObject({
      deliveries: [{ id }],
    });
    expect(await change(url, id, "retry")).toMatchObject({ status: 204 });
    expect(woken).toBe(1);
    expect(await json(`${url}/api/v1/deliveries?state=dead`)).toMatchObject({ deliveries: [] });
    expect(ledger.outbox.due("ops", clock.now(), 9, new Set())).toMatchObject([{ id }]);
    expect((await change(url, id, "discard")).status, "it is dead no more").toBe(409);
    expect(said("info")).toContain(`audit: local retry ${id}: done`);
  });

  it("says that nothing can be changed where the ledger is not open, or does not take it", async () => {
    const ledger = aLedgerOfAProgram();
    const id = await aDeadLetter(ledger);
    const { url } = await served();
    expect(await change(url, id, "retry")).toMatchObject({
      status: 503,
      text: expect.stringContaining("the ledger is not open yet") as string,
    });
    const full = () => {
      throw Object.assign(new Error("the disk is full"), { name: "StorageError" });
    };
    const live = { ...NOTHING_RUNS, history: () => ({ retry: full, discard: full }) };
    const other = await served({}, live);
    const refused = await change(other.url, id, "retry");
    expect(refused.status).toBe(503);
    expect(refused.text).toContain("the disk is full");
  });

  it("shows what this one's memory has where there is no ledger to read", async () => {
    const { url, recall } = await served();
    recall.memory.take(anEntry(1, ["ops"]), clock.now());
    const { events } = (await json(`${url}/api/v1/events?since=30d`)) as {
      events: readonly { readonly id: string }[];
    };
    expect(events).toHaveLength(1);
    const story = await html(`${url}/events/${encodeURIComponent(events[0]?.id ?? "")}?lang=en`);
    expect(story).toContain("The ledger cannot be read since");
  });

  it("asks the API server for who comes, by itself", async () => {
    const server = await FakeApiServer.start();
    onTestFinished(() => server.close());
    server.reviews.tokens.set("admins", { user: { username: "admin" } });
    server.reviews.grant("admin", "list events");
    const source = [`kubernetes:?kubeconfig=${kubeconfigFor(server)}`];
    const { listening } = await served({ flags: { source, webListen: "0.0.0.0:0" } });
    const url = `http://127.0.0.1:${listening.port}/api/v1/whoami`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: bearer("strangers") })).status).toBe(401);
    const answer = await fetch(url, { headers: bearer("admins") });
    expect(await answer.json()).toMatchObject({ name: "admin", by: "kubernetes" });
  });

  it("knows the namespaces that came since, for who is asked about them", async () => {
    const access = `roles: [{ groups: [sre], namespaces: [shop], may: [read] }]\n`;
    const { url, observer } = await served({
      flags: { webAccessFile: accessFile(access), webProxies: "127.0.0.1" },
    });
    const headers = { "x-forwarded-user": "dora", "x-forwarded-groups": "sre" };
    const status = async () => (await fetch(`${url}/api/v1/events`, { headers })).status;
    observer.eventReceived("kubernetes", anEvent({ eventNamespace: "pay" }));
    expect(await status(), "of all there are they may see none").toBe(403);
    observer.eventReceived("kubernetes", anEvent({ eventNamespace: "shop" }));
    await expect.poll(status).toBe(200);
  });

  it.runIf(process.platform === "linux")(
    "has a lower priority than the one that delivers, which keeps its own",
    async () => {
      const own = () => threadsOfOurs().find(({ id }) => id === String(process.pid))?.nice ?? 0;
      const before = { own: own(), ids: new Set(threadsOfOurs().map(({ id }) => id)) };
      await served();
      const begun = threadsOfOurs().filter(({ id }) => !before.ids.has(id));
      expect(own()).toBe(before.own);
      expect(begun.map(({ nice }) => nice)).toContain(Math.min(19, before.own + 5));
    },
  );
});

describe("a page that cannot be served", { timeout: TIMEOUT }, () => {
  it("says that its address is taken, and what else is wrong with it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const file = accessFile("tokens:\n  - name: a\n    sha256: short\n");
    const { page, stop } = aPage({
      flags: { webListen: `127.0.0.1:${port}`, webAccessFile: file },
    });
    await expect(page.open(NOTHING_RUNS, stop.signal)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program listens there`,
    );
    const issues = await page.problems(never);
    expect(issues.map(({ where }) => where.slice(0, file.length + 2))).toContain(`${file}:3`);
    expect(errors()).toEqual([]);
  });

  it("says why its thread ends before it serves anything, and it is not begun again", async () => {
    const program = new URL(
      `data:text/javascript,${encodeURIComponent('throw new Error("no memory for it")')}`,
    );
    const { page, stop } = aPage({ program });
    await expect(page.open(NOTHING_RUNS, stop.signal)).rejects.toThrow(
      "the page's thread has ended: no memory for it",
    );
    expect(await page.problems(never)).toEqual([]);
    await clock.advance(120_000);
    expect(errors()).toEqual([]);
  });

  it("names no secret where its configuration cannot be loaded again", async () => {
    const { page, stop } = aPage({
      flags: { sink: ["webhook:http://127.0.0.1:9/${TOKEN}?name=ops&signingSecret=s3cret-key"] },
      env: { TOKEN: "s3cret-token", OTHER: "s3cret-other" },
      origin: ({ env, ...rest }) => ({ ...rest, env: { OTHER: env["OTHER"] } }),
    });
    const opened = page.open(NOTHING_RUNS, stop.signal).catch((error: unknown) => error);
    const error = (await opened) as Error;
    expect(error.message).toContain("TOKEN is not set");
    expect(`${error.message}${error.stack}${JSON.stringify(logged.lines)}`).not.toContain("s3cret");
  });

  it("answers at once where nobody waits for its problems any more", async () => {
    const { page } = aPage();
    const within = new AbortController();
    const asked = page.problems(within.signal);
    within.abort();
    expect(await asked).toEqual([]);
    expect(await page.problems(within.signal)).toEqual([]);
  });
});

describe("the end of a page", { timeout: TIMEOUT }, () => {
  it("lets whoever follows go at once, and takes no more questions", async () => {
    const { url, stop, listening } = await served();
    const followed = await fetch(`${url}/api/v1/tail`, {
      headers: { accept: "text/event-stream" },
    });
    const ended = followed.text();
    stop.abort();
    expect(await ended).toContain("retry:");
    await listening.close();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    expect(errors()).toEqual([]);
  });

  it("comes while questions are under way: they are answered, or told", async () => {
    aLedgerOfAProgram();
    const { url, listening } = await served();
    const asked = Array.from({ length: 20 }, () =>
      fetch(`${url}/api/v1/timeline?since=30d`).then(
        ({ status }) => status,
        () => "cut",
      ),
    );
    await listening.close();
    for (const outcome of await Promise.all(asked)) expect([200, 503, "cut"]).toContain(outcome);
    await listening.close();
    expect(errors()).toEqual([]);
  });

  it("comes for a thread that does not come back as well", async () => {
    const { url, make, listening } = await served({ program: MORTAL });
    make("hang");
    const closing = listening.close();
    await clock.advance(1_800);
    await closing;
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("comes with the end of the program, whether or not it was served", async () => {
    const { page, over } = aPage();
    expect(await page.problems(never)).toEqual([]);
    over.abort();
    await expect(page.open(NOTHING_RUNS, never)).rejects.toThrow("the page is closed");
  });
});
