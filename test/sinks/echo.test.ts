import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { sinkOf } from "../../sinks/index.ts";
import { openSink } from "../../src/sink/open.ts";
import { anExchange } from "../support/exchange.ts";
import { aMessage } from "../support/messages.ts";
import { quietIo } from "../support/sinks.ts";

/** A proxy's error page may show the request it refused. What is kept of it names nobody's password, in whatever form HTTP sends one. */
const PASSWORD = "s3cret-passw0rd";

const { inbox, client } = await anExchange();

type Given = (origin: string) => Readonly<Record<string, unknown>>;

describe("a server that shows the request it refuses", () => {
  it.each<[string, string, Given]>([
    [
      "webhook",
      "a user in the URL",
      (url) => ({ url: `${url.replace("//", `//robot:${PASSWORD}@`)}/in` }),
    ],
    [
      "webhook",
      "a header of one's own",
      (url) => ({
        url: `${url}/in`,
        headers: {
          Authorization: `Basic ${Buffer.from(`robot:${PASSWORD}`).toString("base64")}`,
        },
      }),
    ],
    ["influxdb", "user and password", (url) => ({ url, user: "kube", pw: PASSWORD })],
    [
      "elasticsearch",
      "user and password",
      (url) => ({ url, esUserName: "elastic", esUserSecret: PASSWORD }),
    ],
    ["elasticsearch", "a key", (url) => ({ url, apiKey: `VuaCfGcBCdbkQm-e5aOx:${PASSWORD}` })],
  ])("%s, by %s", async (type, _, given) => {
    const sink = sinkOf(type);
    if (sink === undefined) throw new Error(`no sink ${type}`);
    let authorization = "";
    inbox.reply(({ headers, url, body }) => {
      authorization = headers.authorization ?? "";
      return {
        status: 401,
        body: `denied: ${authorization} ${JSON.stringify(headers)} ${url} ${body}`,
      };
    });
    const open = openSink(sink, sink.options.parse(given(inbox.url)), {
      ...quietIo(),
      client,
      timeoutMs: 5000,
    });
    const told = await open.tell(aMessage(), Date.now(), new AbortController().signal);
    await open.close();
    expect(told.verdict).toMatchObject({ kind: "permanent", reason: "auth" });
    const shown = inspect(told, { depth: 9 });
    expect(shown).toContain("denied: ");
    expect(shown).toContain("<redacted>");
    // It was sent, or this would show nothing.
    const sent = Buffer.from(authorization.replace(/^\w+ /, ""), "base64").toString();
    expect(sent).toContain(PASSWORD);
    const inBase64 = [...shown.matchAll(/[\w+/-]{12,}=*/g)].map(([text]) =>
      Buffer.from(text, "base64").toString("latin1"),
    );
    for (const text of [shown, ...inBase64]) expect(text).not.toMatch(/s3cr|passw0/);
  });
});
