import { describe, expect, it } from "vitest";
import mysql, { targetOf } from "../../sinks/mysql.ts";
import { sinks } from "../../sinks/index.ts";
import { COLUMNS, createTable, type Row } from "../../sinks/mysql/columns.ts";
import { dsnText, readDsn } from "../../sinks/mysql/dsn.ts";
import { failureOf } from "../../sinks/mysql/errors.ts";
import { type FoundColumn, type Layout, readLayout } from "../../sinks/mysql/layout.ts";
import { encode, rowOf } from "../../sinks/mysql/row.ts";
import { insertRows, sizesOf } from "../../sinks/mysql/statements.ts";
import { dateTime, goText, readStored } from "../../sinks/mysql/time.ts";
import { loadConfig } from "../../src/config/load.ts";
import { defaultLevel } from "../../src/config/sinks.ts";
import { parseSinkFlag } from "../../src/config/sink-uri.ts";
import { secretsOf } from "../../src/sink/redact.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith } from "../support/messages.ts";

const HERE = {
  user: "crier",
  password: "secret",
  host: "db.example.com",
  port: 3306,
  socket: null,
  database: "kube",
  tls: "false",
} as const;

describe("a DSN", () => {
  it.each([
    ["kube-eventer's", "?crier:secret@tcp(db.example.com:3306)/kube?charset=utf8"],
    [
      "kube-eventer's with several parameters",
      "?crier:secret@tcp(db.example.com:3306)/kube?charset=utf8mb4&parseTime=true&loc=Local&readTimeout=30s",
    ],
    ["Go's alone", "crier:secret@tcp(db.example.com)/kube"],
    ["a URL", "mysql://crier:secret@db.example.com/kube"],
    ["a URL behind the type", "//crier:secret@db.example.com:3306/kube?charset=utf8mb4"],
    ["the whole flag by mistake", "mysql:?crier:secret@tcp(db.example.com:3306)/kube"],
    ["MariaDB's URL", "mariadb://crier:secret@db.example.com/kube"],
  ])("in the form %s names the same place", (_, text) => {
    expect(readDsn(text)).toEqual(HERE);
  });

  it.each([
    ["an @", "p@ss"],
    ["a slash and a colon", "a/b:c"],
    ["a question mark and an ampersand", "a?b&c=d"],
    ["what looks percent-encoded", "100%41"],
    ["brackets", "tcp(x)/y"],
    ["Chinese and an emoji", "口令🔑"],
    ["a quote", "'\"`\\"],
  ])("in Go's form takes a password with %s as it stands", (_, password) => {
    const dsn = readDsn(`crier:${password}@tcp(db.example.com:3306)/kube?charset=utf8`);
    expect(dsn).toEqual({ ...HERE, password });
  });

  it("in a URL has its password percent-encoded, and forgives one that is not", () => {
    expect(readDsn("mysql://crier:p%40ss%2Fword@db.example.com/kube")).toMatchObject({
      password: "p@ss/word",
    });
    expect(readDsn("mysql://crier:p@ss/w:rd@db.example.com/kube")).toMatchObject({
      password: "p@ss/w:rd",
      host: "db.example.com",
    });
    expect(readDsn("mysql://crier:50%@db.example.com/kube")).toMatchObject({ password: "50%" });
  });

  it.each([
    ["root@/kube", { user: "root", password: "", host: "127.0.0.1", port: 3306 }],
    ["/kube", { user: "", host: "127.0.0.1" }],
    ["u:p@unix(/run/mysqld/mysqld.sock)/kube", { socket: "/run/mysqld/mysqld.sock" }],
    ["u:p@unix/kube", { socket: "/tmp/mysql.sock" }],
    ["u:p@tcp([2001:db8::1]:3307)/kube", { host: "2001:db8::1", port: 3307 }],
    ["mysql://u:p@[2001:db8::1]/kube", { host: "2001:db8::1", port: 3306 }],
    ["mysql://u:p@localhost/kube?socket=%2Frun%2Fmy.sock", { socket: "/run/my.sock" }],
    ["u:p@tcp(h)/kube?tls=skip-verify", { tls: "skip-verify" }],
    ["mysql://u:p@h/kube?tls=true", { tls: "true" }],
  ])("%s means what it means to the Go driver", (text, expected) => {
    expect(readDsn(text)).toMatchObject({ database: "kube", ...expected });
  });

  it.each([
    ["", "has no /DATABASE"],
    ["crier:hunter2@tcp(db:3306)", "has no /DATABASE"],
    ["crier:hunter2@tcp(db:3306)/", "names no database"],
    ["crier:hunter2@udp(db)/kube", 'names the network "udp"'],
    ["crier:hunter2@tcp(db:99999)/kube", "port outside"],
    ["crier:hunter2@tcp(d b)/kube", "is not HOST:PORT"],
    ["crier:hunter2@tcp(db/kube", "no tcp(HOST:PORT)"],
    ["mysql://crier:hunter2@db", "is a URL without HOST/DATABASE"],
    ["https://crier:hunter2@db/kube", "is a URL without"],
    ["crier:hunter2@tcp(db)/kube?tls=maybe", "unknown tls; expected false, preferred"],
    ["crier:hunter2@tcp(db)/kube?sql_mode=ANSI", 'a parameter "sql_mode"'],
  ])("%s is refused in words, without its password", (text, said) => {
    const outcome = readDsn(text);
    expect(outcome).toHaveProperty("problem", expect.stringContaining(said));
    expect(JSON.stringify(outcome)).not.toContain("hunter2");
  });

  it("reads back from its one form", () => {
    for (const text of [
      "crier:p@s/s?w&r=d%41@tcp([::1]:3307)/ku be?tls=preferred",
      "u@unix(/a b/c.sock)/kube",
      "/kube",
      "用户:口令@tcp(h)/库",
    ]) {
      const dsn = readDsn(text);
      if ("problem" in dsn) throw new Error(dsn.problem);
      expect(readDsn(dsnText(dsn))).toEqual(dsn);
    }
  });
});

describe("options", () => {
  const uri = (text: string, env: Record<string, string> = {}) => {
    const { entry, issues } = parseSinkFlag(text, [mysql], env);
    expect(issues).toEqual([]);
    const { type: _, filter: __, timeout: ___, ...own } = entry;
    return targetOf(optionsFor(mysql, own) as Parameters<typeof targetOf>[0]);
  };

  it("come from kube-eventer's flag with more than one DSN parameter", () => {
    const target = uri(
      "mysql:?crier:secret@tcp(db.example.com:3306)/kube?charset=utf8&parseTime=true&timeout=5s&table=k8s_event&level=Warning",
    );
    expect(target).toEqual({ dsn: HERE, table: "k8s_event", ca: null, cert: null, key: null });
  });

  it("come from a flag that gives them as the DSN's first parameters, or with paths in them", () => {
    expect(
      uri("mysql:?crier:a/b?c&d=e@f@tcp(db.example.com)/kube?table=t&ca=/etc/ca.crt&tls=true"),
    ).toEqual({
      dsn: { ...HERE, password: "a/b?c&d=e@f", tls: "true" },
      table: "t",
      ca: "/etc/ca.crt",
      cert: null,
      key: null,
    });
    expect(uri("mysql:?crier:secret@tcp(db.example.com)/kube&table=t").table).toBe("t");
    expect(uri("mysql:?/kube?table=t").dsn).toMatchObject({ host: "127.0.0.1", user: "" });
  });

  it("take a password from the environment whatever characters it has, in both forms", () => {
    const env = { PASS: "p@s/s?w&r=d%41:x", HOST: "db.example.com:3306" };
    for (const text of [
      "mysql:?crier:${PASS}@tcp(db.example.com:3306)/kube?charset=utf8&table=t",
      "mysql://crier:${PASS}@${HOST}/kube?table=t",
      "mysql://crier:x@${HOST}/kube?table=t&password=${PASS}",
    ]) {
      expect(uri(text, env).dsn, text).toEqual({ ...HERE, password: env.PASS });
    }
  });

  it("hide the password, also where a server repeats it", () => {
    const given = optionsFor(mysql, {
      dsn: "crier:hunter2hunter2@tcp(h)/kube",
      password: "swordfish1",
    });
    expect(JSON.stringify(given)).not.toMatch(/hunter2|swordfish/);
    expect(secretsOf(given)).toEqual(expect.arrayContaining(["hunter2hunter2", "swordfish1"]));
  });

  it.each([
    [{}, /dsn/],
    [{ dsn: "nonsense" }, /^dsn: has no \/DATABASE/],
    [{ dsn: "u@tcp(h)/d", table: "kube event" }, /^table: is no name/],
    [{ dsn: "u@tcp(h)/d", table: "a`; DROP TABLE x; --" }, /^table: is no name/],
    [{ dsn: "u@tcp(h)/d", cert: "/tls.crt", ca: "/ca.crt" }, /^cert: needs its other half/],
    [{ dsn: "u@tcp(h)/d", cert: "/tls.crt", key: "/tls.key" }, /^cert: is of no use without TLS/],
    [{ dsn: "u@tcp(h)/d", retention: "90" }, /^retention: "90" is not a duration/],
    [{ dsn: "u@tcp(h)/d", retention: "30m" }, /^retention: is less than a day/],
  ])("%j are refused with the reason", (given, said) => {
    expect(problemsWith(mysql, given).join("\n")).toMatch(said);
  });

  it("may limit the rate, and what exceeds it waits: a digest would lose rows", () => {
    const { config } = loadConfig({
      flags: { sink: ["mysql:?u@tcp(h)/d?charset=utf8&rate_per_minute=10", "stdout:"] },
      registry: sinks,
      env: {},
    });
    expect(config.sinks.map(({ digest }) => digest)).toEqual([false, true]);
  });

  it("ask for everything that happens", () => {
    expect(defaultLevel(mysql)).toBe("Normal");
    expect(mysql.isRecord).toBe(true);
    expect(mysql.limits(optionsFor(mysql, mysql.example.yaml) as never).rates).toEqual([]);
  });
});

describe("a row", () => {
  it("says of an event what kube-eventer says, and more", () => {
    expect(rowOf(aMessage())).toEqual({
      cluster: "prod-a",
      event_id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
      namespace: "shop",
      kind: "Pod",
      name: "web-7d4b9c",
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      first_occurrence_time: "2026-11-20T08:00:00Z",
      last_occurrence_time: "2026-11-20T08:05:30Z",
      count: 12,
      component: "kubelet",
      host: "node-1",
      object_uid: "0c0ffee0-1111-2222-3333-444455556666",
    });
  });

  it("has empty text where the cluster says nothing", () => {
    const event = anEvent({
      object: { kind: "Node", namespace: null, name: "node-3", uid: null },
      reporter: { component: null, host: null },
    });
    expect(rowOf(aMessage({ event }))).toMatchObject({
      namespace: "",
      object_uid: "",
      component: "",
      host: "",
    });
  });

  it("is kept of a gap, under the delivery's id: an auditor must see the hole", () => {
    expect(rowOf(aMessage({ event: null }))).toMatchObject({
      event_id: aMessage().id,
      kind: "Cluster",
      reason: "HistoryGap",
      type: "Warning",
      message: expect.stringMatching(
        /^Events between 2026-11-20T08:00:00Z and .* could not be seen: not running/,
      ),
      first_occurrence_time: "2026-11-20T08:00:00Z",
      last_occurrence_time: "2026-11-20T08:07:00Z",
    });
  });

  it("is not made of a digest, whose events have rows of their own", async () => {
    const alert = {
      kind: "digest",
      cluster: "",
      total: 2,
      from: "",
      to: "",
      lines: [],
      moreKinds: 0,
    } as const;
    expect(rowOf({ id: "d1", alert })).toBeNull();
  });
});

/** A text column, as information_schema describes it. */
const column = (name: string, changes: Partial<FoundColumn> = {}): FoundColumn => ({
  name,
  type: "varchar",
  characters: 255,
  bytes: 1020,
  charset: "utf8mb4",
  precision: null,
  required: false,
  ...changes,
});
const time = (name: string, precision: number) =>
  column(name, { type: "datetime", characters: null, bytes: null, charset: null, precision });
const number = (name: string) =>
  column(name, { type: "int", characters: null, bytes: null, charset: null });
const primary = { name: "PRIMARY", unique: true, columns: ["id"] };

/** As its shema.sql makes it. */
const KUBE_EVENTER: readonly FoundColumn[] = [
  number("id"),
  ..."namespace kind name type reason message event_id first_occurrence_time last_occurrence_time"
    .split(" ")
    .map((name) => column(name)),
  column("update_time", {
    type: "timestamp",
    characters: null,
    bytes: null,
    charset: null,
    precision: 0,
  }),
];
const OURS: readonly FoundColumn[] = [
  number("id"),
  ...COLUMNS.map(({ field, holds }) =>
    field === "message"
      ? column(field, { type: "mediumtext", characters: 16_777_215, bytes: 16_777_215 })
      : holds === "time"
        ? time(field, 6)
        : holds === "number"
          ? number(field)
          : column(field, { characters: field === "event_id" ? 64 : 63 }),
  ),
  time("update_time", 6),
];
const OUR_INDEXES = [
  primary,
  { name: "one_row", unique: true, columns: ["cluster", "event_id"] },
  { name: "by_time", unique: false, columns: ["last_occurrence_time", "count"] },
];

function layout(
  found: readonly FoundColumn[],
  indexes: Parameters<typeof readLayout>[2] = [primary],
): Layout {
  const read = readLayout("kube_event", found, indexes);
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.layout;
}
function problems(found: readonly FoundColumn[]) {
  const read = readLayout("kube_event", found, [primary]);
  return "problems" in read ? read.problems.map(({ message, hint }) => `${message} → ${hint}`) : [];
}

describe("a table", () => {
  it("of kube-eventer's is written as it is: its nine columns, texts of times, a row for each occurrence", () => {
    const { columns, ...rest } = layout(KUBE_EVENTER);
    expect(columns.map(({ field }) => field)).toEqual(
      "namespace kind name type reason message event_id first_occurrence_time last_occurrence_time".split(
        " ",
      ),
    );
    expect(rest).toEqual({ mode: "append", indexed: false, age: "update_time", whole: false });
    const row = rowOf(aMessage()) as Row;
    expect(encode(row, layout(KUBE_EVENTER)).values.slice(-2)).toEqual([
      "2026-11-20 08:00:00 +0000 UTC",
      "2026-11-20 08:05:30 +0000 UTC",
    ]);
  });

  it("of our own is written whole and keeps one row for an event", () => {
    const { columns, ...rest } = layout(OURS, OUR_INDEXES);
    expect(columns).toHaveLength(COLUMNS.length);
    expect(rest).toMatchObject({ mode: "upsert", age: "last_occurrence_time", whole: true });
  });

  it("needs its key to be over cluster and event_id, in any order and case, and over nothing else", () => {
    const mode = (...columns: string[]) =>
      layout(OURS, [primary, { name: "k", unique: true, columns }]).mode;
    expect(mode("EVENT_ID", "cluster")).toBe("upsert");
    expect(mode("event_id")).toBe("append");
    expect(mode("cluster", "event_id", "count")).toBe("append");
    const single = KUBE_EVENTER.filter(({ name }) => name !== "id");
    expect(layout(single, [{ name: "k", unique: true, columns: ["event_id"] }]).mode).toBe(
      "upsert",
    );
  });

  it("has what is missing or does not fit named, with the statement that mends it", () => {
    const without = KUBE_EVENTER.filter(({ name }) => name !== "reason");
    expect(problems(without)).toEqual([
      "table kube_event has no column reason → ALTER TABLE `kube_event` ADD COLUMN `reason` VARCHAR(128) NOT NULL DEFAULT '';",
    ]);
    const odd = KUBE_EVENTER.map((one) => (one.name === "message" ? number("message") : one));
    expect(problems(odd)[0]).toContain(
      "has the column message of type int, which cannot hold text → ALTER TABLE `kube_event` MODIFY COLUMN `message` MEDIUMTEXT",
    );
    expect(problems([...KUBE_EVENTER, column("region", { required: true })])[0]).toContain(
      "a column region that must be given a value, and kube-crier knows none for it → ALTER TABLE `kube_event` MODIFY COLUMN `region` VARCHAR NULL",
    );
    const narrow = KUBE_EVENTER.map((one) =>
      one.name === "event_id" ? column("event_id", { characters: 32 }) : one,
    );
    expect(problems(narrow)[0]).toContain("an event_id of 32 characters; a uid has 36");
  });

  it("has a message cut where a character ends, and says that it was", () => {
    const cutTo = (message: string, changes: Partial<FoundColumn>) => {
      const found = KUBE_EVENTER.map((one) =>
        one.name === "message" ? column("message", changes) : one,
      );
      const { values, cut } = encode({ ...(rowOf(aMessage()) as Row), message }, layout(found));
      return { text: values[5] ?? "", cut };
    };
    const chinese = cutTo("容".repeat(300), {});
    expect(chinese.text).toBe(`${"容".repeat(254)}…`);
    expect(chinese.cut).toEqual(["message"]);
    const family = cutTo("👩‍👩‍👧".repeat(60), {});
    expect(family.text).toMatch(/^(?:👩‍👩‍👧)+…$/u);
    const bytes = cutTo("容".repeat(100), { type: "tinytext", characters: 255, bytes: 255 });
    expect(Buffer.byteLength(bytes.text)).toBeLessThanOrEqual(255);
    expect(cutTo("容".repeat(255), {})).toEqual({ text: "容".repeat(255), cut: [] });
  });

  it("never has two events share a row because their ids were cut", () => {
    const long = (end: string) =>
      encode(
        { ...(rowOf(aMessage()) as Row), event_id: `${"x".repeat(300)}${end}` },
        layout(OURS, OUR_INDEXES),
      );
    expect(long("a").key).not.toBe(long("b").key);
    expect(long("a").eventId).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ["utf8mb4", "café 容器 🔥 —"],
    ["utf8mb3", "café 容器 ? —"],
    ["latin1", "café ?? ? —"],
    ["gbk", "caf\u00e9 容器 ? —"],
    ["swe7", "caf? ?? ? ?"],
  ])("in %s has a question mark for what it has no character for", (charset, expected) => {
    const found = KUBE_EVENTER.map((one) =>
      one.name === "message" ? column("message", { charset }) : one,
    );
    const row = { ...(rowOf(aMessage()) as Row), message: "café 容器 🔥 —" };
    const { values, cut } = encode(row, layout(found));
    expect(values[5]).toBe(expected);
    expect(cut).toEqual(charset === "utf8mb4" ? [] : ["message"]);
  });

  it("is created with kube-eventer's names, and ours behind them", () => {
    const text = createTable("kube_event");
    for (const name of ["id", "update_time", ...COLUMNS.map(({ field }) => field)])
      expect(text).toContain(`\`${name}\``);
    expect(text).toMatch(/`message` MEDIUMTEXT .*utf8mb4/);
    expect(text).toMatch(/`last_occurrence_time` DATETIME\(6\)/);
  });
});

describe("statements", () => {
  it.each([
    [1, [1]],
    [3, [2, 1]],
    [200, [128, 64, 8]],
    [256, [256]],
    [600, [256, 256, 64, 16, 8]],
    [0, []],
  ])("for %i rows come in few sizes, so that few are prepared", (rows, sizes) => {
    expect(sizesOf(rows)).toEqual(sizes);
  });

  it("have a mark for each value and never a value in their text", () => {
    const text = insertRows("kube_event", layout(OURS, OUR_INDEXES), 4);
    expect(text.match(/\?/g)).toHaveLength(4 * COLUMNS.length);
    expect(insertRows("a`b", layout(KUBE_EVENTER), 1)).toContain("INSERT INTO `a``b` (");
  });

  it("assign the last time last: what is newer is judged by what was there", () => {
    const text = insertRows("t", layout(OURS, OUR_INDEXES), 1);
    const order = [
      "`message` = IF(",
      "`count` = GREATEST(",
      "`last_occurrence_time` = GREATEST(",
    ].map((part) => text.indexOf(part));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(-1);
  });
});

describe("a time", () => {
  it.each([
    ["2026-11-20T08:05:30Z", "2026-11-20 08:05:30 +0000 UTC", "2026-11-20 08:05:30.000000"],
    ["2026-11-20T08:05:30.120Z", "2026-11-20 08:05:30.12 +0000 UTC", "2026-11-20 08:05:30.120000"],
    [
      "2026-11-20T08:05:30.123456Z",
      "2026-11-20 08:05:30.123456 +0000 UTC",
      "2026-11-20 08:05:30.123456",
    ],
  ])("%s is stored as Go prints it or as a DATETIME, and reads back", (iso, go, sql) => {
    expect(goText(iso)).toBe(go);
    expect(dateTime(iso, 6)).toBe(sql);
    expect(dateTime(iso, 0)).toBe("2026-11-20 08:05:30");
    expect(Date.parse(readStored(go) ?? "")).toBe(Date.parse(iso));
    expect(Date.parse(readStored(sql) ?? "")).toBe(Date.parse(iso));
  });

  it.each([
    ["2025-11-21 10:00:00 +0800 CST", "2025-11-21T02:00:00Z"],
    ["2025-11-20 19:30:00.5 -0630 -0630", "2025-11-21T02:00:00.5Z"],
    ["2025-11-21 02:00:00 +0000 UTC m=+0.5", "2025-11-21T02:00:00Z"],
    ["2025-11-21 02:00:00", "2025-11-21T02:00:00Z"],
    ["0001-01-01 00:00:00 +0000 UTC", null],
    ["0000-00-00 00:00:00", null],
    ["yesterday", null],
    ["", null],
  ])("%s of an old row means %s", (text, iso) => {
    expect(readStored(text)).toBe(iso);
  });
});

describe("an error", () => {
  const place = { dsn: HERE, table: "kube_event" };
  const failure = (errno: number | null, code: string, message = "said") =>
    failureOf({ errno, code, message }, place);

  it.each([
    [null, "ECONNREFUSED", "connection"],
    [null, "PROTOCOL_CONNECTION_LOST", "connection"],
    [null, "EAI_AGAIN", "connection"],
    [1053, "ER_SERVER_SHUTDOWN", "connection"],
    [1927, "ER_CONNECTION_KILLED", "connection"],
    [4031, "ER_CLIENT_INTERACTION_TIMEOUT", "connection"],
    [1213, "ER_LOCK_DEADLOCK", "again"],
    [1205, "ER_LOCK_WAIT_TIMEOUT", "again"],
    [1040, "ER_CON_COUNT_ERROR", "arrangement"],
    [1021, "ER_DISK_FULL", "arrangement"],
    [1146, "ER_NO_SUCH_TABLE", "form"],
    [1054, "ER_BAD_FIELD_ERROR", "form"],
  ])("%s %s may pass: the lane waits, and the start does not refuse", (errno, code, about) => {
    const { about: found, verdict, problem } = failure(errno, code);
    expect(found).toBe(about);
    expect(verdict.kind).toBe("retryable");
    expect(verdict).not.toHaveProperty("reason", "unknown");
    expect(problem).toBeNull();
  });

  it.each([
    [1049, "ER_BAD_DB_ERROR", "", /CREATE DATABASE `kube`/],
    [1044, "ER_DBACCESS_DENIED_ERROR", "", /GRANT .* ON `kube`\.\* TO 'crier'@'%';/],
    [1045, "ER_ACCESS_DENIED_ERROR", "", /mend user and password/],
    [
      1142,
      "ER_TABLEACCESS_DENIED_ERROR",
      "INSERT, UPDATE command denied to user",
      /GRANT INSERT, UPDATE ON `kube`\.`kube_event` TO/,
    ],
    [
      1142,
      "ER_TABLEACCESS_DENIED_ERROR",
      "CREATE command denied to user",
      /GRANT CREATE ON `kube`\.\* TO/,
    ],
    [1290, "ER_OPTION_PREVENTS_STATEMENT", "", /SET GLOBAL read_only = OFF/],
    [null, "HANDSHAKE_NO_SSL_SUPPORT", "", /ssl_cert/],
    [null, "SELF_SIGNED_CERT_IN_CHAIN", "", /ca=FILE/],
    [null, "ERR_TLS_CERT_ALTNAME_INVALID", "", /ca=FILE/],
  ])(
    "%s %s is a person's to mend: refused at the start, waited out later, with the statement",
    (errno, code, message, hint) => {
      const { problem, verdict } = failure(errno, code, message);
      expect(problem?.hint).toMatch(hint);
      expect(verdict).toMatchObject({ kind: "retryable", detail: expect.stringMatching(hint) });
    },
  );

  it.each([1406, 1366, 1292, 1153])("%i is one row's own fault and nobody else's", (errno) => {
    expect(failure(errno, "ER_X")).toMatchObject({ about: "row", verdict: { kind: "permanent" } });
  });

  it("that nobody has heard of is tried a few times and reported", () => {
    expect(failure(9999, "ER_NEW").verdict).toMatchObject({ kind: "retryable", reason: "unknown" });
  });
});
