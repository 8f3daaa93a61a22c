import { once } from "node:events";
import { Agent, get, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { connect } from "node:net";
import { listen, STRICT_LIMITS } from "../../../src/web/listen.ts";
import { HEARTBEAT_MS } from "../../../src/web/page/tail.ts";
import { FakeClock } from "../../support/clock.ts";

function keeping(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

async function ask(url: string, agent: Agent): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent }), "response")) as [IncomingMessage];
  return answer;
}

it("keeps a client's connection between its requests", async () => {
  const ports = new Set<number | undefined>();
  const server = await listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end("ok");
  });
  onTestFinished(() => server.close());
  const agent = keeping();
  for (let n = 0; n < 3; n += 1) expect(await text(await ask(server.url, agent))).toBe("ok");
  expect(ports.size).toBe(1);
});

it("is not held up by a kept connection: the answer under way at the close is its last", async () => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  // Time stands still: nothing is cut after a second.
  const server = await listen(
    { host: "127.0.0.1", port: 0, clock: new FakeClock() },
    (_request, response) => {
      arrived.resolve();
      void go.promise.then(() => response.end("the last"));
    },
  );
  const answer = ask(server.url, keeping());
  await arrived.promise;
  const closed = server.close();
  go.resolve();
  const { headers } = await answer;
  expect(headers.connection).toBe("close");
  expect(await text(await answer)).toBe("the last");
  await closed;
});

/** More than all buffers between two processes hold. */
const LARGE = 32 * 1024 * 1024;

/** A server that sends much, and the answer that a client of it never reads. */
async function unread(limits?: typeof STRICT_LIMITS) {
  const answering = Promise.withResolvers<ServerResponse>();
  const server = await listen(
    { host: "127.0.0.1", port: 0, ...(limits === undefined ? {} : { limits }) },
    (_request, response) => {
      response.end(Buffer.alloc(LARGE));
      answering.resolve(response);
    },
  );
  onTestFinished(() => server.close());
  const socket = connect(server.port, "127.0.0.1").pause();
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return { server, response: await answering.promise };
}

it("lets go who takes nothing of an answer, so that they keep no place of others", async () => {
  const { response } = await unread({ ...STRICT_LIMITS, idleMs: 100 });
  if (!response.destroyed) await once(response, "close");
  expect(response.writableFinished).toBe(false);
});

it("lets go who connects and then says nothing", async () => {
  const server = await listen(
    { host: "127.0.0.1", port: 0, limits: { ...STRICT_LIMITS, idleMs: 100 } },
    (_request, response) => void response.end("ok"),
  );
  onTestFinished(() => server.close());
  const socket = connect(server.port, "127.0.0.1");
  await once(socket.resume(), "close");
  expect(socket.bytesRead).toBe(0);
});

it("is not held up at its end by who takes nothing", async () => {
  const { server, response } = await unread();
  await server.close();
  expect(response.writableFinished).toBe(false);
});

it("leaves who follows a quiet cluster alone: signs of life come more often", () => {
  expect(STRICT_LIMITS.idleMs).toBeGreaterThanOrEqual(3 * HEARTBEAT_MS);
});
