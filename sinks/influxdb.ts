import { defineHttpSink, type OptionsOf, s, Secret } from "../src/sink/index.ts";
import { judge, SAMPLES } from "./influxdb/answers.ts";
import { lineOf } from "./influxdb/line.ts";

/** A server takes 25 MB by default. */
const BATCH_BYTES = 2_000_000;

const options = s
  .object({
    url: s
      .secretUrl(
        {
          description:
            "Where the server is; http is allowed to any host. For a private authority set NODE_EXTRA_CA_CERTS.",
          example: "https://influxdb.example.com:8086",
        },
        true,
      )
      .prefault("http://localhost:8086"),
    user: s.text({ description: "The user of InfluxDB 1.", aliases: ["username"] }).default("root"),
    pw: s
      .secret({
        description: "The user's password; without it `root`, as with kube-eventer.",
        aliases: ["password"],
      })
      .optional(),
    db: s
      .text({ description: "The database of InfluxDB 1; it must exist.", aliases: ["database"] })
      .default("k8s"),
    retentionPolicy: s
      .text({
        description: "The retention policy to write to; without it the database's default.",
        example: "one_month",
        aliases: ["rp"],
      })
      .optional(),
    bucket: s
      .text({
        description: "The bucket of InfluxDB 2; with it the API of InfluxDB 2 is spoken.",
        example: "events",
      })
      .optional(),
    org: s
      .text({
        description: "The organization of InfluxDB 2, by name or ID.",
        example: "platform",
      })
      .optional(),
    token: s
      .headerSecret({ description: "An API token of InfluxDB 2 that may write to the bucket." })
      .optional(),
    withfields: s
      .bool({
        description:
          "Write the measurement `events`: the message as the field, all else as tags. Without it `log/events`, the whole event as JSON in the field `value`.",
      })
      .default(false),
    series: s
      .oneOf(["event", "kind"], {
        description:
          "With `event` each event is a series of its own, as with kube-eventer, and the server's index grows with every event. With `kind`, for `withfields` alone, `uid`, `pod_id` and `object_name` are fields and no tags, and the time is moved within its second to tell events of one series apart.",
      })
      .default("event"),
    clusterName: s
      .text({
        description:
          "The tag `cluster_name`; without it the cluster's own name, or `default` where it has none.",
        example: "prod-a",
      })
      .optional(),
  })
  .superRefine(({ url, bucket, org, token, retentionPolicy, series, withfields }, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    // What is no URL is told already, and still comes here.
    const base = url instanceof Secret ? URL.parse(url.reveal()) : null;
    if (base !== null && (base.username !== "" || base.password !== ""))
      problem("url", "has a user in it; give `user` and `pw` (or `token`) instead");
    if (base !== null && base.search !== "")
      problem("url", "has a query; expected http://HOST:PORT");
    if (series === "kind" && !withfields)
      problem("series", "says kind, but `log/events` has no tags for one; give `withfields`, too");
    if (bucket === undefined) {
      for (const [name, value] of [
        ["org", org],
        ["token", token],
      ] as const)
        if (value !== undefined) problem(name, "is of InfluxDB 2; give `bucket`, too");
      return;
    }
    if (org === undefined) problem("org", "is missing; a bucket is in an organization");
    if (token === undefined) problem("token", "is missing; InfluxDB 2 takes nothing without one");
    if (retentionPolicy !== undefined)
      problem("retentionPolicy", "is of InfluxDB 1; in InfluxDB 2 the bucket has it");
  });

export default defineHttpSink({
  type: "influxdb",
  title: "InfluxDB",
  summary:
    "InfluxDB 1 and 2: one point for each occurrence, as kube-eventer wrote it; the same occurrence is the same point.",
  docs: "https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/",
  facts: {
    kind: "database",
    auth: "user and password (InfluxDB 1), token (InfluxDB 2); TLS",
    idempotency: "the same series and time: the same point",
    batch: "1,000 points a request; a refused one is found by halves",
    testedAgainst:
      "InfluxDB 1.6 and 1.8, and the API of InfluxDB 2 that 1.8 has; a server that goes by the documentation of InfluxDB 2",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: {
    target: "url",
    keep: [],
    ignored: {
      insecuressl:
        "the server's certificate is always checked; for a private authority set NODE_EXTRA_CA_CERTS",
      retention: "kube-eventer never used it; `retention_policy` names one to write to",
      disable_counter_metrics: "kube-eventer never used it",
    },
  },
  example: {
    uri: "influxdb:https://influxdb.example.com:8086?org=platform&bucket=events&token=fedcba9876543210&cluster_name=prod-a",
    yaml: {
      url: "https://influxdb.example.com:8086",
      org: "platform",
      bucket: "events",
      token: "fedcba9876543210",
      clusterName: "prod-a",
    },
  },
  // Points are the event's own words.
  blocks: () => ({}),
  limits: () => ({
    rates: [],
    // They share requests.
    concurrency: 256,
    // Each string of a point is cut by itself.
    body: null,
    blocks: {},
    throttledMs: 5000,
  }),
  request: (given, message) => ({
    method: "POST",
    url: writeUrl(given),
    headers: {
      "content-type": "text/plain; charset=utf-8",
      authorization:
        given.token === undefined
          ? `Basic ${Buffer.from(`${given.user}:${given.pw?.reveal() ?? "root"}`).toString("base64")}`
          : `Token ${given.token.reveal()}`,
    },
    body: lineOf(given, message),
  }),
  accept: judge,
  batch: {
    max: 1000,
    bytes: BATCH_BYTES,
    join: (bodies) => bodies.join(""),
    // It names no lines but the first it did not take: they are asked for again in halves, and what is written twice is one point.
    split: () => null,
  },
  refusesWith200: false,
  samples: SAMPLES,
});

function writeUrl(given: OptionsOf<typeof options>): string {
  const url = new URL(given.url.reveal());
  const { db, bucket, org = "", retentionPolicy } = given;
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${bucket === undefined ? "/write" : "/api/v2/write"}`;
  const where = bucket === undefined ? { db } : { org, bucket };
  const policy = retentionPolicy === undefined ? {} : { rp: retentionPolicy };
  url.search = new URLSearchParams({ ...where, ...policy, precision: "ns" }).toString();
  return url.href;
}
