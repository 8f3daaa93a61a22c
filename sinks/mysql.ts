import { defineSink, type OptionsOf, s } from "../src/sink/index.ts";
import { checkTarget } from "./mysql/check.ts";
import { normalDsn, readDsn } from "./mysql/dsn.ts";
import type { Target } from "./mysql/table.ts";
import { Writer } from "./mysql/writer.ts";

const DAY_MS = 86_400_000;

const options = s
  .object({
    dsn: s.secretForm(
      {
        description:
          "Where the database is, as kube-eventer writes it or as a URL. Of the Go driver's parameters `tls` (true, skip-verify, preferred) counts; text is always utf8mb4 and times UTC.",
        example: "mysql://crier:…@db.example.com:3306/kube_crier",
        aliases: ["url"],
      },
      normalDsn,
    ),
    password: s
      .secret({
        description: "The password, in place of the DSN's: any characters, as they are.",
      })
      .optional(),
    table: s
      .text({ description: "The table; created where it is missing." })
      .regex(/^[\p{L}\p{N}_$-]{1,64}$/u, "is no name of a table; expected letters, digits and _")
      .default("kube_event"),
    ca: s
      .text({
        description: "A PEM file of the CA that signed the server's certificate; turns TLS on.",
        example: "/etc/mysql-tls/ca.crt",
      })
      .optional(),
    cert: s
      .text({
        description: "A PEM file of a client certificate, where the server asks for one.",
        example: "/etc/mysql-tls/tls.crt",
      })
      .optional(),
    key: s
      .text({
        description: "The PEM file of its private key.",
        example: "/etc/mysql-tls/tls.key",
      })
      .optional(),
    retention: s
      .duration({
        description:
          "Rows whose event was last seen longer ago are deleted, in small pieces, every hour; without it nothing is.",
        example: "90d",
      })
      .optional(),
  })
  .superRefine(({ dsn, ca, cert, key, retention }, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    if ((cert === undefined) !== (key === undefined))
      problem(cert === undefined ? "key" : "cert", "needs its other half; give both cert and key");
    const { tls } = parsed(dsn.reveal());
    if (cert !== undefined && ca === undefined && tls === "false")
      problem("cert", "is of no use without TLS; give ca, or tls=true in the DSN");
    if (retention !== undefined && retention < DAY_MS)
      problem("retention", "is less than a day; expected 1d or more");
  });

export default defineSink({
  type: "mysql",
  title: "MySQL",
  summary: "A table in MySQL or MariaDB: one row for each event, kept current, for audits.",
  docs: "https://dev.mysql.com/doc/refman/8.4/en/insert-on-duplicate.html",
  facts: {
    kind: "database",
    auth: "user and password; TLS with CA and client certificate",
    idempotency: "unique key on the event's UID: one row for each event, the newest state wins",
    batch: "256 rows a statement; one that fails alone is told alone",
    testedAgainst: "MariaDB",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "dsn", keep: "*", dsn: true },
  example: {
    uri: "mysql:?crier:fedcba9876543210@tcp(db.example.com:3306)/kube_crier?charset=utf8mb4&table=kube_event&retention=90d",
    yaml: {
      dsn: "mysql://crier:fedcba9876543210@db.example.com:3306/kube_crier",
      table: "kube_event",
      retention: "90d",
    },
  },
  // Rows are the event's own words.
  blocks: () => ({}),
  limits: () => ({ rates: [], concurrency: 256, body: null, blocks: {}, throttledMs: 5000 }),
  create: (given, io) => {
    const target = targetOf(given);
    const writer = new Writer(target, given.retention ?? null, io);
    return {
      deliver: (message, signal) => writer.deliver(message, signal),
      check: (signal) => checkTarget(target, given.retention !== undefined, io.clock, signal),
      close: () => writer.close(),
    };
  },
});

/** What the options say, for the sink and for `kube-crier mysql`. */
export function targetOf(given: OptionsOf<typeof options>): Target {
  const dsn = parsed(given.dsn.reveal());
  return {
    dsn: { ...dsn, password: given.password?.reveal() ?? dsn.password },
    table: given.table,
    ca: given.ca ?? null,
    cert: given.cert ?? null,
    key: given.key ?? null,
  };
}

/** The schema has read it once already. */
function parsed(text: string) {
  const dsn = readDsn(text);
  if ("problem" in dsn) throw new Error(`dsn ${dsn.problem}`);
  return dsn;
}
