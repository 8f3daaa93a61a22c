import { afterAll } from "vitest";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { type Inbox, startInbox } from "./inbox.ts";

/** A server and the house's client to ask it, for all the tests of a file. */
export async function anExchange(): Promise<{
  readonly inbox: Inbox;
  readonly client: HttpClient;
}> {
  const inbox = await startInbox();
  const client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
  afterAll(async () => {
    client.close();
    await inbox.close();
  });
  return { inbox, client };
}
