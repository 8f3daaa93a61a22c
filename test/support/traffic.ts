import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, ServerResponse } from "node:http";

/** Turns of the event loop without anything new on the wire that count as silence. */
const CALM_TURNS = 8;

/** What Node tells of a client's request, and of a server's answer. */
interface Message {
  readonly request: ClientRequest;
  readonly response: ServerResponse;
}

export interface Traffic {
  /** Resolves once nothing is on its way any more: every request was answered, or has reached a server that keeps it on purpose. */
  calm(): Promise<void>;
  stop(): void;
}

/** Watches the HTTP of this process, clients and servers, as Node itself reports it. */
export function watchTraffic(): Traffic {
  const asked = new Set<ClientRequest>();
  const kept = new Set<ServerResponse>();
  const stops: (() => void)[] = [];
  let changes = 0;
  const on = (name: string, then: (message: Message) => void) => {
    const listener = (message: unknown) => {
      changes += 1;
      then(message as Message);
    };
    subscribe(name, listener);
    stops.push(() => unsubscribe(name, listener));
  };
  on("http.client.request.start", ({ request }) => {
    asked.add(request);
    request.once("close", () => asked.delete(request));
  });
  on("http.client.response.finish", ({ request }) => {
    asked.delete(request);
  });
  on("http.server.request.start", ({ response }) => {
    kept.add(response);
    response.once("close", () => kept.delete(response));
  });
  on("http.server.response.finish", () => undefined);

  return {
    async calm() {
      for (let calm = 0, before = -1; calm < CALM_TURNS; calm += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        const waiting = [...kept].filter((response) => !response.headersSent).length;
        if (changes !== before || asked.size > waiting) calm = 0;
        before = changes;
      }
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}
