import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier, until } from "../support/crier.ts";
import { accessFile, sha256 } from "../support/guarded.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { kubeconfigFor } from "../support/source.ts";

/** "What happened, and who was told?", asked of a process as a user starts it, over its own ledger while it writes it. */
const TOKENS = {
  sre: { namespaces: ["*"], may: ["read", "change"] },
  shop: { namespaces: ["shop"], may: ["read"] },
} as const;
const ACCESS = `tokens:\n${Object.entries(TOKENS)
  .map(
    ([name, { namespaces, may }]) =>
      `  - { name: ${name}, sha256: ${sha256(`token-of-${name}`)}, namespaces: ${JSON.stringify(namespaces)}, may: [${may.join(", ")}] }`,
  )
  .join("\n")}\n`;
const MINUTES = 180_000;

interface Rows {
  readonly events: readonly {
    readonly id: string;
    readonly event: { readonly eventNamespace: string; readonly message: string };
    readonly deliveries: readonly { readonly id: string; readonly state: string }[];
  }[];
}

let folder: string;
let server: FakeApiServer;
let inbox: Inbox;
const started: Crier[] = [];

beforeEach(async () => {
  folder = temporaryDirectory();
  server = await FakeApiServer.start();
  inbox = await startInbox();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.destroy()));
  await server.close();
  await inbox.close();
});

async function begin(...flags: readonly string[]): Promise<Crier> {
  const process = new Crier([
    "run",
    `--source=kubernetes:?kubeconfig=${kubeconfigFor(server)}`,
    `--sink=webhook:${inbox.url}/?name=ops`,
    `--data-dir=${folder}`,
    "--listen=127.0.0.1:0",
    ...flags,
  ]);
  started.push(process);
  await process.ready();
  return process;
}

/** With the page, for those of `ACCESS` alone. */
async function start(): Promise<{ process: Crier; page: string }> {
  const process = await begin(
    "--web-listen=127.0.0.1:0",
    "--web-kubernetes=off",
    `--web-access-file=${accessFile(ACCESS)}`,
  );
  const page = await process.page();
  return { process, page };
}

const as = (who: keyof typeof TOKENS, accept = "application/json") => ({
  headers: { authorization: `Bearer token-of-${who}`, accept },
});

async function rows(page: string, who: keyof typeof TOKENS, query = ""): Promise<Rows["events"]> {
  const answer = await fetch(`${page}/api/v1/events${query}`, as(who));
  expect(answer.status).toBe(200);
  return ((await answer.json()) as Rows).events;
}

const namespaces = (found: Rows["events"]) => found.map(({ event }) => event.eventNamespace);

/** Without what the house says of its own first start. */
const ofCluster = (found: Rows["events"]) =>
  found.filter(({ event }) => event.eventNamespace !== "");

/** Asks until the first delivery of the event with this message is in that state. */
const told = (page: string, message: string, state: string) =>
  until(async () => {
    const found = (await rows(page, "sre")).find(({ event }) => event.message === message);
    return found?.deliveries[0]?.state === state ? found : undefined;
  }, `"${message}" to be ${state}`);

describe("the page over the ledger of a process", () => {
  it(
    "shows each what they may see, and lets those who may owe a dead letter again",
    { timeout: MINUTES },
    async () => {
      inbox.reply(({ body }) => (body.includes("in pay") ? { status: 400 } : { status: 200 }));
      const { process, page } = await start();
      server.create("a", { message: "trouble in shop" });
      server.create("b", { message: "trouble in pay" }, "pay");
      const shop = await told(page, "trouble in shop", "delivered");
      const pay = await told(page, "trouble in pay", "dead");

      expect(namespaces(ofCluster(await rows(page, "sre"))).toSorted()).toEqual(["pay", "shop"]);
      expect(namespaces(await rows(page, "shop"))).toEqual(["shop"]);
      const html = await (
        await fetch(`${page}/?since=30d&lang=en`, as("shop", "text/html"))
      ).text();
      expect(html).toContain("trouble in shop");
      expect(html).not.toContain("trouble in pay");

      const get = async (place: string, who: keyof typeof TOKENS) =>
        (await fetch(page + place, as(who, place.startsWith("/api/") ? undefined : "text/html")))
          .status;
      for (const place of ["/events/", "/api/v1/events/"]) {
        expect(await get(place + encodeURIComponent(shop.id), "shop")).toBe(200);
        expect(await get(place + encodeURIComponent(pay.id), "shop")).toBe(404);
        expect(await get(place + encodeURIComponent(pay.id), "sre")).toBe(200);
      }
      expect(await get("/api/v1/events?ns=pay", "shop")).toBe(403);

      const [dead] = pay.deliveries;
      const retry = async (who: keyof typeof TOKENS) =>
        (await fetch(`${page}/api/v1/deliveries/${dead?.id}/retry`, { method: "POST", ...as(who) }))
          .status;
      const sinks = await (await fetch(`${page}/sinks`, as("sre", "text/html"))).text();
      expect(sinks).toContain(`id="dead-${dead?.id}"`);
      expect(await (await fetch(`${page}/sinks`, as("shop", "text/html"))).text()).not.toContain(
        dead?.id ?? "no id",
      );
      expect(await retry("shop")).toBe(404);
      inbox.reply({ status: 200 });
      expect(await retry("sre")).toBe(204);
      await told(page, "trouble in pay", "delivered");
      // It is there, and no dead letter any more; who may not see it is not told so.
      expect(await retry("sre")).toBe(409);
      expect(await retry("shop")).toBe(404);

      process.kill("SIGTERM");
      // Something was given up in its time.
      expect(await process.ended()).toBe(3);
      const audit = readFileSync(path.join(folder, "audit.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ who, action, target, outcome }) => ({ who, action, target, outcome }));
      const target = dead?.id;
      expect(audit).toEqual([
        { who: "shop", action: "retry", target, outcome: "refused" },
        { who: "sre", action: "retry", target, outcome: "done" },
        { who: "sre", action: "retry", target, outcome: "refused" },
        { who: "shop", action: "retry", target, outcome: "refused" },
      ]);
    },
  );

  it(
    "still shows after kill -9 and a new start what was there before, and goes on",
    { timeout: MINUTES },
    async () => {
      const { process, page } = await start();
      server.create("a", { message: "before the end" });
      const before = await told(page, "before the end", "delivered");
      const query = "/api/v1/timeline?since=30d&reason=BackOff";
      const timeline = await (await fetch(page + query, as("sre"))).json();
      expect(timeline).toMatchObject({ total: 1 });
      process.kill("SIGKILL");
      await process.ended();

      const { page: again } = await start();
      expect(ofCluster(await rows(again, "sre")).map(({ id }) => id)).toEqual([before.id]);
      server.create("b", { message: "after the end" });
      await told(again, "after the end", "delivered");
      const story = await fetch(`${again}/events/${encodeURIComponent(before.id)}`, as("sre"));
      expect(await story.text()).toContain("before the end");
      expect(ofCluster(await rows(again, "sre", "?q=before")).length).toBe(1);
    },
  );

  it(
    "shows what memory has where the ledger is gone, and says so; what comes after is shown, too",
    { timeout: MINUTES },
    async () => {
      const { process, page } = await start();
      server.create("a", { message: "before it was gone" });
      server.create("b", { message: "trouble in pay" }, "pay");
      const before = await told(page, "before it was gone", "delivered");
      const html = async (place: string, who: keyof typeof TOKENS) => {
        const answer = await fetch(page + place, as(who, "text/html"));
        return { status: answer.status, text: await answer.text() };
      };
      const gone = "The ledger cannot be read since";
      expect((await html("/?since=30d&lang=en", "sre")).text).not.toContain(gone);
      for (const name of readdirSync(folder))
        if (name.startsWith("ledger.db")) rmSync(path.join(folder, name));
      server.create("c", { message: "after it was gone" });
      const shown = await until(async () => {
        const list = await html("/?since=30d&lang=en", "shop");
        return list.text.includes("after it was gone") ? list : undefined;
      }, "what came afterwards");
      expect(shown.status).toBe(200);
      expect(shown.text).toContain(gone);
      expect(shown.text).toContain("before it was gone");
      // Who may see what is no matter of where it is kept.
      expect(shown.text).not.toContain("trouble in pay");
      const story = await html(`/events/${encodeURIComponent(before.id)}?lang=en`, "shop");
      expect(story.status).toBe(200);
      expect(story.text).toContain("before it was gone");
      expect((await html("/?since=30d&lang=zh", "sre")).text).toContain("账本无法读取");
      expect((await html("/sinks?lang=en", "sre")).status).toBe(200);
      // No reason to stop delivering.
      await inbox.received(3);
      process.kill("SIGTERM");
      await process.ended();
    },
  );

  it(
    "brings what arrives to whoever follows, and lets them go at once at the end",
    { timeout: MINUTES },
    async () => {
      const { process, page } = await start();
      server.create("first", { message: "first in shop" });
      await told(page, "first in shop", "delivered");
      const follow = async (who: keyof typeof TOKENS) => {
        const answer = await fetch(`${page}/api/v1/tail`, as(who, "text/event-stream"));
        const seen = { text: "", ended: false };
        const read = async () => {
          const decoder = new TextDecoder();
          for await (const part of answer.body ?? []) seen.text += decoder.decode(part);
        };
        const done = read()
          .catch(() => undefined)
          .then(() => (seen.ended = true));
        return { seen, done };
      };
      const everything = await follow("sre");
      const others = await Promise.all(Array.from({ length: 20 }, () => follow("shop")));
      // Where now is has been asked before anything comes.
      await rows(page, "sre");
      let n = 0;
      await until(() => {
        n += 1;
        server.create(`pay-${n}`, { message: "trouble in pay" }, "pay");
        server.create(`shop-${n}`, { message: "trouble in shop" });
        return others.every(({ seen }) => seen.text.includes("trouble in shop")) &&
          everything.seen.text.includes("trouble in pay")
          ? true
          : undefined;
      }, "all to have seen it");
      expect(others.map(({ seen }) => seen.text).join("")).not.toContain("trouble in pay");

      process.kill("SIGTERM");
      await Promise.all([everything, ...others].map(({ done }) => done));
      expect(await process.ended()).toBe(0);
      expect(process.stderr).not.toContain("did not end within");
    },
  );

  it(
    "has no index, thread or audit file where no page is served",
    { timeout: MINUTES },
    async () => {
      const process = await begin();
      server.create("a", { message: "trouble in shop" });
      await inbox.received(1);
      process.kill("SIGTERM");
      expect(await process.ended()).toBe(0);
      expect(existsSync(path.join(folder, "ledger.db"))).toBe(true);
      for (const name of ["history.db", "audit.jsonl"])
        expect(existsSync(path.join(folder, name))).toBe(false);
    },
  );
});
