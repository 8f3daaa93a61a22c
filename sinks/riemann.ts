import {
  defineSink,
  occurrenceOf,
  type OptionsOf,
  s,
  type SinkCheck,
  TOLD_ALREADY,
} from "../src/sink/index.ts";
import { readAddress } from "./riemann/address.ts";
import { Connection, type Target } from "./riemann/connection.ts";
import { riemannEvent } from "./riemann/event.ts";
import { encodeEvent } from "./riemann/protobuf.ts";
import { troubleOf } from "./riemann/trouble.ts";
import { Writer } from "./riemann/writer.ts";

/** A server that is slow is waited for by the lane and not by the start. */
const PATIENCE_MS = 3_000;

/** What kube-eventer sends for a Normal event, also where its `state` is said to be empty. */
const NORMAL = "ok";

const options = s
  .object({
    address: s
      .text({
        description:
          "Where the server listens for TCP: tcp://HOST:5555, or tls://HOST:5554; http:// and https:// are taken for the same, as kube-eventer writes them.",
        example: "tls://riemann.example.com:5554",
      })
      .default("riemann-heapster:5555"),
    ttl: s
      .number(
        {
          description:
            "How long an event is good for, in seconds; then Riemann says it has expired.",
          example: 120,
        },
        0.1,
        31_536_000,
      )
      .default(60),
    state: s
      .text({
        description:
          "The state of Normal events; that of a Warning is `warning`, whatever stands here.",
      })
      .default(NORMAL),
    tags: s
      .list({ description: "Tags of each event.", example: ["kubernetes"] })
      .default(["heapster"]),
    batchSize: s
      .integer({ description: "How many events go in one message at most." }, 1, 10_000)
      .default(1000),
    ca: s
      .text({
        description: "A PEM file of the CA that signed the server's certificate; turns TLS on.",
        example: "/etc/riemann-tls/ca.crt",
      })
      .optional(),
    cert: s
      .text({
        description: "A PEM file of a client certificate: Riemann asks for one with TLS.",
        example: "/etc/riemann-tls/tls.crt",
      })
      .optional(),
    key: s
      .text({
        description: "The PEM file of its private key.",
        example: "/etc/riemann-tls/tls.key",
      })
      .optional(),
  })
  .superRefine(({ address, ca, cert, key }, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const read = readAddress(address);
    if ("problem" in read) problem("address", read.problem);
    else if (cert !== undefined && ca === undefined && !read.tls)
      problem("cert", "is of no use without TLS; give ca, or an address with tls://");
    if ((cert === undefined) !== (key === undefined))
      problem(cert === undefined ? "key" : "cert", "needs its other half; give both cert and key");
  });

export default defineSink({
  type: "riemann",
  title: "Riemann",
  summary:
    "A Riemann server, by its own protocol over TCP or TLS: one event for each occurrence, in batches, each batch acknowledged.",
  docs: "https://riemann.io/howto.html",
  facts: {
    kind: "observability",
    auth: "TLS with client certificate",
    idempotency: "the same host, service and time: the same entry of the index",
    batch: "`batchSize` events a message",
    testedAgainst: "a server that speaks the protocol, over TCP and TLS",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "address", keep: [] },
  example: {
    uri: "riemann:tls://riemann.example.com:5554?ca=/etc/riemann-tls/ca.crt&cert=/etc/riemann-tls/tls.crt&key=/etc/riemann-tls/tls.key&ttl=120&tags=kubernetes",
    yaml: {
      address: "tls://riemann.example.com:5554",
      ca: "/etc/riemann-tls/ca.crt",
      cert: "/etc/riemann-tls/tls.crt",
      key: "/etc/riemann-tls/tls.key",
      ttl: 120,
      tags: ["kubernetes"],
    },
  },
  // A record is in the event's own words.
  blocks: () => ({}),
  limits: ({ batchSize }) => ({
    rates: [],
    concurrency: batchSize,
    body: null,
    blocks: {},
    throttledMs: 5000,
  }),
  create: (given, { clock }) => {
    const target = targetOf(given);
    const manner = {
      ttl: given.ttl,
      state: given.state === "" ? NORMAL : given.state,
      tags: given.tags,
    };
    const writer = new Writer(target, given.batchSize);
    return {
      deliver(message, signal) {
        const event = occurrenceOf(message);
        if (event === null) return Promise.resolve(TOLD_ALREADY);
        return writer.deliver(encodeEvent(riemannEvent(event, manner)), signal);
      },
      async check(signal): Promise<SinkCheck> {
        const late = new AbortController();
        const ended = new AbortController();
        void clock.sleep(PATIENCE_MS, ended.signal).then(() => late.abort());
        try {
          (await Connection.open(target, AbortSignal.any([signal, late.signal]))).close();
          return { problems: [], away: null };
        } catch (error) {
          const { verdict, problem } = troubleOf(error, target);
          if (problem !== null) return { problems: [problem], away: null };
          return { problems: [], away: "detail" in verdict ? verdict.detail : null };
        } finally {
          ended.abort();
        }
      },
      close: () => writer.close(),
    };
  },
});

function targetOf({ address, ca, cert, key }: OptionsOf<typeof options>): Target {
  const read = readAddress(address);
  // The schema has read it once already.
  if ("problem" in read) throw new Error(`address ${read.problem}`);
  return {
    address: { ...read, tls: read.tls || ca !== undefined },
    ca: ca ?? null,
    cert: cert ?? null,
    key: key ?? null,
  };
}
