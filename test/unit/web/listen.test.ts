import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { listen } from "../../../src/web/listen.ts";
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
