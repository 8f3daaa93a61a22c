import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FAILURE_REASONS, type FailureReason } from "../../src/event/reason.ts";
import { Retention } from "../../src/ledger/retention.ts";
import { settle } from "../support/clock.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { freePort } from "../support/ports.ts";

/** Each word of the closed list, from what really happens to what a person finds afterwards. */
let inbox: Inbox;
beforeAll(async () => {
  inbox = await startInbox();
});
afterAll(() => inbox.close());

const hook = (query = "") => openRoad(`webhook:${inbox.url}/k8s${query}`);

/** A server with a certificate nobody signed for us. */
async function tlsServer(): Promise<string> {
  const tls = path.resolve(import.meta.dirname, "../fixtures/kube-apiserver/tls");
  const server = createTlsServer(
    {
      cert: readFileSync(path.join(tls, "server.crt")),
      key: readFileSync(path.join(tls, "server.key")),
    },
    (_, response) => response.end("ok"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that speaks, but not HTTP. */
async function rawServer(answer: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const STORIES: Readonly<Record<FailureReason, () => Promise<string>>> = {
  network: async () => {
    const road = openRoad(`webhook:http://127.0.0.1:${await freePort()}/`);
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  timeout: async () => {
    inbox.reply("hang");
    const before = inbox.requests.length;
    const road = hook("?timeout=5s");
    await road.owe();
    await inbox.received(before + 1);
    await road.clock.advance(5_000);
    await road.attempts(1);
    return becameOf(road);
  },
  server: async () => {
    inbox.reply({ status: 502, body: "bad gateway" });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  throttled: async () => {
    inbox.reply({ status: 429, headers: { "retry-after": "20" } });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  auth: async () => {
    inbox.reply({ status: 401 });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  rejected: async () => {
    inbox.reply({ status: 422, body: "no such team" });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  template: async () => {
    // A sink that asks for a block its template does not have: a body of the user's own whose file was never read.
    const road = hook("?body_file=/etc/body.hbs");
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  tooLarge: async () => {
    inbox.reply({ status: 413 });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  tls: async () => {
    const road = openRoad(`webhook:${await tlsServer()}/`);
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  config: async () => {
    inbox.reply({ status: 200, body: { ok: false, error: "not_in_channel" } });
    const road = openRoad(`slack:${inbox.url}/api?token=xoxb-1&channel=C1`);
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
  expired: async () => {
    inbox.reply({ status: 503 });
    const road = hook("?give_up_after=1m");
    await road.owe();
    await road.attempts(1);
    for (let n = 2; road.row().state === "pending"; n += 1) {
      await road.clock.advance(5_000);
      if (road.row().state === "pending") await road.attempts(n);
    }
    return becameOf(road);
  },
  exhausted: async () => {
    inbox.reply({ status: 200, body: { code: 4711, msg: "whatever" } });
    const road = openRoad(`lark:${inbox.url}/open-apis/bot/v2/hook/01234567`);
    await road.owe();
    for (let n = 1; n <= 5; n += 1) {
      await road.attempts(n);
      await road.clock.advance(10_000);
    }
    return becameOf(road);
  },
  overflow: async () => {
    inbox.reply("hang");
    const road = hook();
    await road.lane.stop();
    await road.owe();
    new Retention(road.db).overflow(1, road.clock.now());
    await settle();
    return becameOf(road);
  },
  unknown: async () => {
    inbox.reply({ status: 200, body: { code: 4711, msg: "whatever" } });
    const road = openRoad(`lark:${inbox.url}/open-apis/bot/v2/hook/01234567`);
    await road.owe();
    await road.attempts(1);
    return becameOf(road);
  },
};

const FOUND: Readonly<Record<FailureReason, RegExp>> = {
  network:
    /^again in 0\.5 s after 1, network: the connection was refused: nothing listens there \(ECONNREFUSED\)$/,
  timeout: /^again in 0\.5 s after 1, timeout: no complete answer within 5000 ms$/,
  server: /^again in 0\.5 s after 1, server: HTTP 502: bad gateway$/,
  throttled: /^paused for 20 s after 0: HTTP 429$/,
  auth: /^dead after 1, auth: HTTP 401$/,
  rejected: /^dead after 1, rejected: HTTP 422: no such team$/,
  template: /^dead after 1, template: no template of webhook has the block "body"$/,
  tooLarge: /^dead after 1, tooLarge: HTTP 413$/,
  tls: /^again in 0\.5 s after 1, tls: the server's certificate or TLS was not accepted \(\w+\); for a private authority set NODE_EXTRA_CA_CERTS$/,
  config: /^dead after 1, config: not_in_channel; invite the app to the channel$/,
  expired: /^dead after \d\d, expired: not accepted within 1 min$/,
  exhausted: /^dead after 5, exhausted: 5 attempts; 4711 whatever$/,
  overflow: /^dead after 0, overflow: the ledger had reached its size$/,
  unknown: /^again in 0\.5 s after 1, unknown: 4711 whatever$/,
};

describe("the reason of a failure", () => {
  it.each(Object.keys(FAILURE_REASONS) as FailureReason[])("%s", async (reason) => {
    expect(await STORIES[reason]()).toMatch(FOUND[reason]);
  });
});

describe("an answer that is none", () => {
  it.each([
    [
      "something else than HTTP",
      "SSH-2.0-OpenSSH_9.6\r\n",
      /server: the answer is not HTTP \(HPE_\w+\)$/,
    ],
    [
      "nothing before the end",
      "",
      /network: the connection was reset before the answer was complete \(ECONNRESET\)$/,
    ],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-Len", /(network|server): /],
    [
      "half a body",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
      /network: the connection was reset/,
    ],
  ])("%s is tried again", async (_, answer, expected) => {
    const road = openRoad(`webhook:${await rawServer(answer)}/`);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toMatch(/^again in 0\.5 s after 1, /);
    expect(becameOf(road)).toMatch(expected);
  });

  it("a name that cannot be resolved is tried again, and says where to look", async () => {
    const road = openRoad("webhook:http://nobody.invalid/");
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toMatch(
      /network: (the host name is unknown: check the URL and the cluster's DNS \(ENOTFOUND\)|the name server did not answer \(EAI_AGAIN\))$/,
    );
  });
});

describe("after a failure", () => {
  it("what is tried again is told once the platform is well, and its attempts are counted", async () => {
    const before = inbox.requests.length;
    inbox.reply((_, index) => ({ status: index - before < 2 ? 503 : 200 }));
    const road = hook();
    await road.owe();
    await road.attempts(1);
    await road.clock.advance(5_000);
    await road.attempts(2);
    await road.clock.advance(5_000);
    await road.attempts(3);
    expect(becameOf(road)).toBe("delivered after 2");
    expect(road.row()).toMatchObject({
      reason: null,
      detail: null,
      answer: expect.stringMatching(/^HTTP 200/),
    });
    expect(new Set(inbox.requests.slice(before).map((r) => r.headers["idempotency-key"]))).toEqual(
      new Set([road.row().id]),
    );
  });

  it("what is dead is not sent again, until a person says so", async () => {
    inbox.reply({ status: 400 });
    const road = hook();
    await road.owe();
    await road.attempts(1);
    const before = inbox.requests.length;
    await road.clock.advance(3_600_000);
    expect(inbox.requests.length).toBe(before);
    inbox.reply({ status: 200 });
    road.history.retry([], null, road.clock.now());
    road.outbox.tellAll();
    await road.attempts(2);
    expect(becameOf(road)).toBe("delivered after 0");
  });

  it("what was sent and answered is kept, without the secrets in it", async () => {
    inbox.reply(({ url, body }) => ({ status: 200, body: `${url} ${body.slice(0, 20)}` }));
    const road = hook("?team=0123456789abcdef");
    await road.owe();
    await road.attempts(1);
    const { sent, answer } = road.row();
    expect(JSON.parse(sent ?? "")).toMatchObject({ kind: "event", severity: "warning" });
    expect(answer).toMatch(/^HTTP 200: /);
    expect(answer).not.toContain("0123456789abcdef");
  });
});
