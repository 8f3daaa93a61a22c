import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FakeApiServer } from "../support/apiserver.ts";
import { crier as runToEnd, Crier, until } from "../support/crier.ts";
import { accessFile, sha256 } from "../support/guarded.ts";
import { startInbox } from "../support/inbox.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../support/mariadb.ts";
import { kubeconfigFor } from "../support/source.ts";

/** How long the database is away; longer by hand. */
const OUTAGE_S = Number(process.env["MYSQL_OUTAGE_S"] ?? 3);
/** What the webhook sink sends at the same time. */
const CONCURRENCY = 8;
const PER_SECOND = 100;

/** The program as a process, its ledger in a database, an API server on which something happens all the time, and a receiver. */
describe.skipIf(!haveMariadb)("a ledger in MySQL", { timeout: 120_000 }, () => {
  const names = databaseNames();
  let mariadb: Mariadb;
  beforeAll(async () => {
    mariadb = await Mariadb.start();
  }, 60_000);
  afterAll(() => mariadb.destroy());

  async function story(...more: readonly string[]) {
    const api = await FakeApiServer.start();
    const inbox = await startInbox();
    const database = names();
    await mariadb.sql(`CREATE DATABASE ${database}`);
    const ledger = `--ledger=mysql://root@127.0.0.1:${mariadb.port}/${database}`;
    const dir = temporaryDirectory();
    const source = `--source=kubernetes:?kubeconfig=${kubeconfigFor(api, undefined, {}, dir)}`;
    const start = () => {
      const crier = new Crier([
        "run",
        source,
        `--sink=webhook:${inbox.url}/hook`,
        ledger,
        "--listen=127.0.0.1:0",
        ...more,
      ]);
      onTestFinished(() => crier.destroy());
      return crier;
    };
    onTestFinished(async () => {
      await inbox.close();
      await api.close();
    });
    let made = 0;
    const over = new AbortController();
    onTestFinished(() => over.abort());
    /** Something happens, so often a second, until so much has happened. */
    const happen = async (total: number) => {
      while (made < total && !over.signal.aborted) {
        for (let n = 0; n < PER_SECOND / 20; n += 1) api.create(`event-${(made += 1)}`);
        await pause(50);
      }
    };
    /** By event: its idempotency keys, and how often it came. */
    const arrivals = () => {
      const found = new Map<string, { readonly keys: Set<string>; times: number }>();
      for (const { body, headers } of inbox.requests) {
        const { event } = JSON.parse(body) as { event: { key: string } };
        const one = found.get(event.key) ?? { keys: new Set(), times: 0 };
        one.keys.add(String(headers["idempotency-key"]));
        one.times += 1;
        found.set(event.key, one);
      }
      return found;
    };
    const arrived = (count: number) =>
      until(() => (arrivals().size >= count ? true : undefined), `${count} events`);
    const row = async (sql: string) => (await mariadb.sql(sql, database))[0];
    const delivered = async () =>
      Number(
        (await row("SELECT COUNT(*) AS n FROM kube_crier_delivery WHERE state = 'delivered'"))?.[
          "n"
        ],
      );
    return { api, inbox, start, happen, arrivals, arrived, delivered, ledger };
  }

  const series = async (url: string, name: string) =>
    Number(
      new RegExp(`^${name} (.*)$`, "m").exec(await (await fetch(`${url}/metrics`)).text())?.[1],
    );

  it("loses nothing to kill -9 at any moment, and tells again no more than was under way", async () => {
    const { start, happen, arrivals, arrived, delivered, inbox, ledger } = await story();
    let crier = start();
    await crier.ready();
    const happening = happen(400);
    const kills = [40, 150, 280];
    for (const after of kills) {
      await arrived(after);
      crier.kill("SIGKILL");
      await crier.ended();
      crier = start();
    }
    await happening;
    await arrived(400);
    await until(async () => ((await delivered()) === 400 ? true : undefined), "all to be settled");
    expect(inbox.requests.length - 400).toBeLessThanOrEqual(kills.length * CONCURRENCY);
    expect([...arrivals().values()].filter(({ keys }) => keys.size > 1)).toEqual([]);
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
    // What the command line reads of it.
    const history = await runToEnd([
      "history",
      ledger,
      "--state=delivered",
      "--limit=1000",
      "--json",
    ]);
    expect(history.stdout.trimEnd().split("\n")).toHaveLength(400);
    // And one that says where it began.
    const exported = await runToEnd(["ledger", "export", ledger]);
    expect(exported.stderr).toContain("exported 401 events, 400 deliveries, 0 attempts");
    const checked = await runToEnd(["ledger", "check", ledger]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining("401 events") });
  });

  it("the page and the API are served from it, say when it is away, and go on when it is back", async () => {
    const access = accessFile(
      `tokens: [{ name: sre, sha256: ${sha256("token-of-sre")}, namespaces: ["*"], may: [read] }]\n`,
    );
    const { start, api, delivered } = await story(
      "--web-listen=127.0.0.1:0",
      "--web-kubernetes=off",
      `--web-access-file=${access}`,
    );
    const crier = start();
    await crier.ready();
    const page = await crier.page();
    const get = (place: string, accept = "application/json") =>
      fetch(`${page}${place}`, { headers: { authorization: "Bearer token-of-sre", accept } });
    api.create("one", { message: "镜像拉取失败 for web" });
    await until(async () => ((await delivered()) === 1 ? true : undefined), "it to be delivered");
    // On a busy machine an answer may come before what has just arrived is indexed, and says so.
    const find = () =>
      until(async () => {
        const answer = await get(`/api/v1/events?q=${encodeURIComponent("镜像")}`);
        const found = (await answer.json()) as {
          readonly events?: readonly { readonly id: string; readonly deliveries: unknown[] }[];
        };
        return found.events?.length === 1 ? found.events : undefined;
      }, "the event to be found");
    const events = await find();
    expect(events).toMatchObject([{ deliveries: [{ state: "delivered" }] }]);
    const html = await (await get("/?since=30d&lang=en", "text/html")).text();
    expect(html).toContain("镜像拉取失败 for web");
    await mariadb.down();
    try {
      // What memory has is shown, and that it is no more than that; counts are the database's alone.
      const away = await get("/api/v1/events");
      expect(away.status).toBe(200);
      const { events: known, troubles } = (await away.json()) as Record<string, unknown[]>;
      expect(JSON.stringify(known)).toContain("镜像拉取失败 for web");
      expect(troubles?.join()).toMatch(/ledger cannot be read since.*what memory has/i);
      const counts = await get("/api/v1/timeline?since=1h");
      expect(counts.status).toBe(503);
      expect(JSON.stringify(await counts.json())).toContain("ask again when the database answers");
    } finally {
      await mariadb.up();
    }
    await until(
      async () => ((await get("/api/v1/timeline?since=1h")).status === 200 ? true : undefined),
      "the history to be back",
    );
    expect((await find()).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
  });

  it("bypass: while the database is away everything is delivered, and written down when it is back", async () => {
    const { start, happen, arrivals, arrived, delivered, inbox } = await story();
    const crier = start();
    const url = await crier.ready();
    const total = PER_SECOND * (OUTAGE_S + 3);
    const happening = happen(total);
    await arrived(100);
    await mariadb.down();
    const before = arrivals().size;
    await arrived(before + PER_SECOND);
    expect(await series(url, "kube_crier_ledger_writable")).toBe(0);
    expect(await series(url, "kube_crier_ledger_failures_total")).toBe(1);
    expect(crier.stderr).toContain("delivering from memory and trying again");
    await pause((OUTAGE_S - 1) * 1_000);
    await mariadb.up();
    await happening;
    await arrived(total);
    await until(
      async () => ((await delivered()) === total ? true : undefined),
      "all to be written",
    );
    expect(inbox.requests.length).toBe(total);
    expect(await series(url, "kube_crier_ledger_writable")).toBe(1);
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
  });

  it("block: while it is away nothing is sent but what was under way, and all of it when it is back", async () => {
    const { start, happen, arrivals, arrived, delivered, inbox } =
      await story("--ledger-away=block");
    const crier = start();
    const url = await crier.ready();
    const total = PER_SECOND * (OUTAGE_S + 3);
    const happening = happen(total);
    await arrived(100);
    await mariadb.kill();
    await crier.says("taking and sending nothing new");
    await pause(200);
    const before = arrivals().size;
    await pause(OUTAGE_S * 1_000);
    expect(arrivals().size - before).toBeLessThanOrEqual(CONCURRENCY);
    expect(await series(url, "kube_crier_ledger_writable")).toBe(0);
    await mariadb.up();
    await happening;
    await arrived(total);
    await until(
      async () => ((await delivered()) === total ? true : undefined),
      "all to be written",
    );
    expect(inbox.requests.length).toBe(total);
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
  });

  it("a start without the database is live and not ready, says so, and goes on when it is there; a wrong password ends it", async () => {
    const { start, api, arrived, ledger } = await story();
    await mariadb.down();
    const crier = start();
    const url = await crier.url();
    await crier.says("the ledger is away, and waited for");
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await mariadb.up();
    await crier.ready();
    api.create("after");
    await arrived(1);
    crier.kill("SIGTERM");
    expect(await crier.ended()).toBe(0);
    const wrong = ledger.replace("root@", "root:hunter2@");
    const refused = await runToEnd(["run", "--source=file:/dev/null", wrong]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("lets nobody in as 'root'@'%'");
    expect(refused.stderr).not.toContain("hunter2");
    const checked = await runToEnd(["check", "--source=file:/dev/null", wrong]);
    expect(checked.code).toBe(2);
    expect(checked.stdout + checked.stderr).not.toContain("hunter2");
  });
});
