import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/clock.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { CSV_COLUMNS, csvLine } from "../../../src/history/csv.ts";
import { gapEvent } from "../../../src/event/gap.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { haveMariadb, Mariadb } from "../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../support/mysql-ledger.ts";
import { cli } from "../../support/io.ts";
import { anEvent } from "../../support/events.ts";
import { seen, take } from "../../support/history.ts";
import { aLedger, anEntry, never, temporaryDirectory } from "../../support/ledger.ts";
import { aDigestOf } from "../../support/alerts.ts";

const HOUR = 3_600_000;

/** A ledger in which everything has happened: delivered, dead, pending, folded into a digest, and a gap. */
async function aHistory() {
  const dataDir = temporaryDirectory();
  const { outbox, clock, db } = aLedger({ dataDir });
  await outbox.add([anEntry(1, ["ops"])], [], never); // d1
  await clock.advance(HOUR);
  await outbox.add([anEntry(2, ["ops", "audit"], "OOMKilling")], [], never); // d2, d3
  await outbox.add([anEntry(3, ["ops"]), anEntry(4, ["ops"])], [], never); // d4, d5
  const gap = {
    kind: "gap",
    cluster: "prod-a",
    since: "2026-11-20T05:00:00.000Z",
    until: "2026-11-20T07:00:00.000Z",
    cause: "downtime",
  } as const;
  await outbox.add([{ event: null, alert: gap, sinks: ["audit"] }], [], never); // d6
  const at = clock.now();
  outbox.settle("d1", { kind: "delivered", at, sent: "{}", answer: "HTTP 200: ok" });
  const dead = { kind: "dead", at, counted: true } as const;
  outbox.settle("d2", { ...dead, reason: "auth", detail: "310000: keywords not in content" });
  outbox.settle("d6", { ...dead, reason: "rejected", detail: "no such channel" });
  outbox.fold("ops", ["d4", "d5"], aDigestOf(2), at); // d7
  await clock.advance(60_000);
  outbox.close();
  db.close();
  const run = (...argv: string[]) => cli([...argv, `--data-dir=${dataDir}`], { clock });
  return { run };
}

/** So many events, a second after each other; their names, newest first. */
async function aLong(count: number) {
  const dataDir = temporaryDirectory();
  const { outbox, clock, db } = aLedger({ dataDir });
  const events = Array.from({ length: count }, (_, n) =>
    seen(n, clock.now() - (count - n) * 1_000),
  );
  for (let from = 0; from < count; from += 500)
    await take({ outbox }, events.slice(from, from + 500));
  outbox.close();
  db.close();
  const run = (...argv: (string | Clock)[]) =>
    cli(["history", ...argv.filter((one) => typeof one === "string"), `--data-dir=${dataDir}`], {
      clock: argv.find((one) => typeof one !== "string") ?? clock,
    });
  return { run, clock, names: events.map(({ object }) => object.name).toReversed() };
}

const json = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("history", () => {
  it("shows what happened, newest first, and with a mark what became of it at each sink", async () => {
    const { run } = await aHistory();
    const { stdout, code } = await run("history");
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s{2,}/));
    expect(rows[0]).toEqual(["last seen", "n", "type", "reason", "object", "told", "message"]);
    expect(rows.slice(1).map((row) => [row[4], row[5]])).toEqual([
      ["shop/Pod web-4", "≡ops"],
      ["shop/Pod web-3", "≡ops"],
      ["shop/Pod web-2", "✗ops …audit"],
      ["shop/Pod web-1", "✓ops"],
    ]);
  });

  it("shows what was too old to be told singly, and times that were not seen", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, db } = aLedger({ dataDir });
    const gap = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T05:00:00.000Z",
      until: "2026-11-20T07:00:00.000Z",
      cause: "expired",
      recovered: 37,
      tooOld: 36,
    } as const;
    await outbox.add([{ ...anEntry(1, []), suppressed: "tooOld" }], [], never);
    await outbox.add([{ event: gapEvent(gap, "gap/1"), alert: gap, sinks: ["ops"] }], [], never);
    outbox.close();
    db.close();
    const run = (...argv: string[]) => cli([...argv, `--data-dir=${dataDir}`], { clock });
    const rows = (await run("history")).stdout.trimEnd().split("\n").slice(1);
    expect(rows.map((line) => line.split(/\s{2,}/).slice(3, 6))).toEqual([
      ["BackOff", "shop/Pod web-1", "–tooOld"],
      // By when it ended, which is before that.
      ["HistoryGap", "Cluster prod-a", "…ops"],
    ]);
    const [old, told] = json((await run("history", "--json")).stdout);
    expect(told).toMatchObject({ suppressed: null, deliveries: [{ alert: gap }] });
    expect(told?.["event"]).toMatchObject({
      message: expect.stringContaining("37 recovered by a relist (36 of them too old"),
    });
    expect(old).toMatchObject({ suppressed: "tooOld", deliveries: [] });
  });

  it("shows a canary that only had to reach the ledger as what it is", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, db } = aLedger({ dataDir });
    const canary = anEvent({ reason: "KubeCrierCanary", reporter: { component: "kube-crier" } });
    const alert = { kind: "event", event: canary } as const;
    await outbox.add([{ event: canary, alert, sinks: [] }], [], never);
    outbox.close();
    db.close();
    const { stdout } = await cli(["history", `--data-dir=${dataDir}`], { clock });
    const [, row = ""] = stdout.split("\n");
    expect(row.split(/\s{2,}/).slice(3, 6)).toEqual([
      "KubeCrierCanary",
      "shop/Pod web-7d4b9c",
      "(canary)",
    ]);
  });

  it("for programs: one JSON object a line, times as ISO-8601, the answer of the platform", async () => {
    const { run } = await aHistory();
    const rows = json((await run("history", "--json")).stdout);
    expect(rows.at(-1)).toMatchObject({
      event: { object: { name: "web-1" } },
      receivedAt: "2026-11-20T08:00:00.000Z",
      deliveries: [
        {
          sink: "ops",
          state: "delivered",
          owedAt: "2026-11-20T08:00:00.000Z",
          settledAt: "2026-11-20T09:00:00.000Z",
          answer: "HTTP 200: ok",
          alert: { kind: "event" },
        },
      ],
    });
    expect(rows[0]).toMatchObject({ deliveries: [{ state: "folded", foldedInto: "d7" }] });
  });

  it.each([
    [["--sink=audit"], ["web-2"]],
    [["--state=dead"], ["web-2"]],
    [["--state=folded"], ["web-4", "web-3"]],
    [["--reason=OOMKilling"], ["web-2"]],
    [["--name=web-1"], ["web-1"]],
    [["--kind=Pod", "--limit=1"], ["web-4"]],
    [
      ["--namespace=shop", "--since=1h"],
      ["web-4", "web-3", "web-2"],
    ],
    [["--until=2026-11-20T08:05:00Z"], ["web-1"]],
    [["--since=2026-11-20T08:05:00Z", "--kind=Pod", "--reason=OOMKilling,Failed"], ["web-2"]],
    [["--search=RESTARTING container", "--name=web-1"], ["web-1"]],
    [["--search=no such words"], []],
    [
      ["--name=web-*", "--limit=2"],
      ["web-4", "web-3"],
    ],
    [
      ["--type=Warning", "--component=kubelet", "--cluster=prod-a", "--kept=owed", "--limit=9999"],
      ["web-4", "web-3", "web-2", "web-1"],
    ],
    [["--why=tooOld"], []],
  ])("%s narrows it", async (flags, names) => {
    const { run } = await aHistory();
    const rows = json((await run("history", "--json", ...flags)).stdout);
    expect(
      rows.map((row) => (row as { event: { object: { name: string } } }).event.object.name),
    ).toEqual(names);
  });

  it("is asked page by page, and shows as much as was wanted, once and in its order", async () => {
    const { run, names } = await aLong(1_203);
    const { stdout } = await run("--limit=1100", "--json");
    expect(json(stdout).map(({ event }) => (event as KubeEvent).object.name)).toEqual(
      names.slice(0, 1_100),
    );
    const table = (await run("--limit=600")).stdout.trimEnd().split("\n");
    expect(table).toHaveLength(601);
    expect((await run("--limit=1")).stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("says so where nothing fits, and what is kept", async () => {
    const { run } = await aLong(3);
    for (const form of [[], ["--json"]])
      expect(await run("--name=nobody", ...form)).toEqual({
        code: 0,
        stdout: "",
        stderr:
          "nothing in the ledger fits; it keeps what was owed to a sink, for as long as --history says\n",
      });
    expect((await run("--limit=1")).stderr).toBe("");
  });

  it("says how far it came where it takes too long, and how to ask for less", async () => {
    const { run, clock } = await aLong(400);
    const slow = new FakeClock(new Date(clock.now()).toISOString());
    // Each look at the clock is ten seconds later; the index is made by then.
    expect((await run("--limit=1")).code).toBe(0);
    const hurried: Clock = {
      now: () => slow.now() + (ticks += 10_000),
      sleep: () => Promise.resolve(),
    };
    let ticks = 0;
    const { code, stderr, stdout } = await run("--search=nowhere to be found", hurried);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^looked back as far as \d{4}-\d\d-\d\dT[\d:.]+Z within 30 s; narrow it with --since, --namespace or --reason\n$/,
    );
  });

  it("names every flag that cannot be read", async () => {
    const { run } = await aHistory();
    const { code, stderr } = await run("history", "--since=yesterday", "--limit=many");
    expect(code).toBe(2);
    expect(stderr).toContain(
      '--since: "yesterday" cannot be read\n      → expected a duration back from now (30m, 2h, 7d) or an ISO 8601 time, like --since=2h',
    );
    expect(stderr).toContain('--limit: "many" is not a number');
    const others = await run(
      "history",
      "--state=lost",
      "--until=x",
      "--namespace=a*",
      "--json",
      "--csv",
    );
    expect(others.code).toBe(2);
    expect(others.stderr).toContain("--until=2026-11-20T10:30:00Z");
    expect(others.stderr).toContain("expected one of pending, delivered, dead, folded, discarded");
    expect(others.stderr).toContain("--csv: and --json do not go together");
  });
});

describe("history --csv", () => {
  it("is what RFC 4180 says, with a head, for spreadsheets", async () => {
    const { run } = await aHistory();
    const { stdout } = await run("history", "--csv", "--name=web-2");
    const [head, row, end] = stdout.split("\r\n");
    expect(head?.split(",")).toEqual([...CSV_COLUMNS]);
    expect(row).toBe(
      "2026-11-20T08:05:30Z,2026-11-20T08:00:00Z,2026-11-20T09:00:00.000Z,1,Warning,OOMKilling,prod-a,shop,Pod,web-2,kubelet,Back-off restarting failed container web in pod web-7d4b9c,ops: dead; audit: pending,,001795161600/00000000-0000-4000-8000-000000000002@1",
    );
    expect(end).toBe("");
    expect((await run("history", "--csv", "--name=nobody")).stdout.split("\r\n")).toHaveLength(2);
  });

  it.each([
    ['say "hi", twice', '"say ""hi"", twice"'],
    ["two\nlines", '"two\nlines"'],
    ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
    ["+1", "'+1"],
    ["-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["＝１＋１", "'＝１＋１"],
    ["  =1", "'  =1"],
    ["\t=1", "'\t'=1"],
    ["\r=1", "\"'\r'=1\""],
    ["a=1", "a=1"],
    ["tail;=1+1", "tail;'=1+1"],
    ["tail; @SUM(A1)", "tail; '@SUM(A1)"],
    ["tail\t-1", "tail\t'-1"],
    ["line\n=1", '"line\n\'=1"'],
    ["left; right", "left; right"],
    ["", ""],
    ["镜像", "镜像"],
  ])("a cell that holds %j is no formula, and one cell", (text, written) => {
    expect(csvLine([text, 7, null])).toBe(`${written},7,\r\n`);
  });
});

describe("history of a ledger in MySQL", () => {
  it("says where the database is that cannot be asked, and not with which password", async () => {
    const { code, stderr } = await cli([
      "history",
      "--ledger=mysql://crier:s3cret@127.0.0.1:1/crier",
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /--ledger: the history in mysql:\/\/127\.0\.0\.1:1\/crier cannot be read: .*ask again when the database answers/,
    );
    expect(stderr).not.toContain("s3cret");
  });

  it.skipIf(!haveMariadb)(
    "is asked everything the embedded one is asked, and answers the same",
    async () => {
      const server = await Mariadb.start();
      try {
        const target = await aDatabase(server, "crier");
        const clock = new FakeClock("2026-11-20T12:00:00Z");
        const inDatabase = await aMysqlLedger(target, { clock });
        const dataDir = temporaryDirectory();
        const inFile = aLedger({ dataDir, clock: new FakeClock("2026-11-20T12:00:00Z") });
        for (const { outbox } of [inDatabase, inFile]) {
          await outbox.add(
            [anEntry(1, ["ops"]), anEntry(2, ["ops", "audit"], "OOMKilling")],
            [],
            never,
          );
          outbox.settle("d1", { kind: "dead", at: 9, reason: "auth", detail: "no", counted: true });
          await settle();
          await outbox.written();
        }
        const ledger = `--ledger=mysql://root@127.0.0.1:${server.port}/crier`;
        for (const asked of [
          [],
          ["--json"],
          ["--csv", "--search=restarting"],
          ["--namespace=shop,data", "--name=web-*", "--type=Warning"],
          ["--state=dead", "--json"],
          ["--until=2026-11-20T08:00:00Z"],
          ["--kept=suppressed"],
        ]) {
          const one = await cli(["history", ledger, ...asked], { clock });
          const other = await cli(["history", `--data-dir=${dataDir}`, ...asked], { clock });
          expect(one, asked.join(" ")).toEqual(other);
        }
        await inDatabase.close();
      } finally {
        await server.destroy();
      }
    },
    120_000,
  );
});

describe("history --follow", () => {
  it("shows what there is, the oldest first, then what arrives, until it is ended", async () => {
    const dataDir = temporaryDirectory();
    const { outbox } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    const ended = new AbortController();
    let looks = 0;
    const clock: Clock = {
      now: () => Date.parse("2026-11-20T08:00:00Z"),
      sleep: async () => {
        looks += 1;
        if (looks === 1)
          await outbox.add([anEntry(3, ["ops"]), anEntry(4, ["ops"], "Other")], [], never);
        if (looks === 3) ended.abort();
      },
    };
    const argv = ["history", "--follow", "--reason=BackOff", "--json", `--data-dir=${dataDir}`];
    const { stdout, code } = await cli(argv, { clock, signal: ended.signal });
    expect(code).toBe(0);
    expect(json(stdout).map(({ event }) => (event as KubeEvent).object.name)).toEqual([
      "web-1",
      "web-2",
      "web-3",
    ]);
  });

  it("keeps up with a burst: all of it is shown, each once, before it waits again", async () => {
    const dataDir = temporaryDirectory();
    const { outbox } = aLedger({ dataDir });
    const all = Array.from({ length: 1_203 }, (_, n) => anEntry(n, ["ops"]));
    const ended = new AbortController();
    let looks = 0;
    const clock: Clock = {
      now: () => Date.parse("2026-11-20T08:00:00Z"),
      sleep: async () => {
        looks += 1;
        if (looks === 2) ended.abort();
        if (looks === 1)
          for (let from = 0; from < all.length; from += 500)
            await outbox.add(all.slice(from, from + 500), [], never);
      },
    };
    const argv = ["history", "--follow", "--json", `--data-dir=${dataDir}`];
    const { stdout } = await cli(argv, { clock, signal: ended.signal });
    expect(json(stdout).map(({ event }) => (event as KubeEvent).object.name)).toEqual(
      all.map(({ event }) => event?.object.name),
    );
  });

  it("as a table has one head", async () => {
    const dataDir = temporaryDirectory();
    const { outbox } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const ended = new AbortController();
    const clock: Clock = {
      now: () => Date.parse("2026-11-20T08:00:00Z"),
      sleep: async () => {
        const taken = await outbox.add([anEntry(2, ["ops"])], [], never);
        if (taken[0] === "duplicate") ended.abort();
      },
    };
    const argv = ["history", "--follow", `--data-dir=${dataDir}`];
    const { stdout } = await cli(argv, { clock, signal: ended.signal });
    expect(stdout.match(/last seen/g)).toHaveLength(1);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
  });
});

describe("dead list", () => {
  it("shows what was given up, when it was owed, why, and how to try again", async () => {
    const { run } = await aHistory();
    const { stdout, stderr } = await run("dead", "list");
    expect(stdout).toMatch(
      /d2\s+ops\s+1m ago\s+1\s+auth\s+OOMKilling Pod web-2\s+310000: keywords/,
    );
    expect(stdout).toMatch(/d6\s+audit\s.*gap 2026-11-20T05:00:00\.000Z to .*no such channel/);
    expect(stderr).toContain('2 dead; "kube-crier dead retry [ID…]" owes them again');
  });

  it("of one sink, for programs, or of none at all", async () => {
    const { run } = await aHistory();
    expect(json((await run("dead", "list", "--sink=audit", "--json")).stdout)).toMatchObject([
      {
        id: "d6",
        reason: "rejected",
        what: expect.stringContaining("gap"),
        alert: { kind: "gap" },
      },
    ]);
    expect(await run("dead", "list", "--sink=nobody")).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "the ledger has no delivery to a sink of that name; it has some to audit, ops\nno dead letters\n",
    });
  });
});

describe("more dead letters than anybody reads", () => {
  /** Of two sinks, after an outage of one and of the other. */
  async function anOutage(ops: number, audit: number) {
    const dataDir = temporaryDirectory();
    const { outbox, clock, db } = aLedger({ dataDir });
    const entries = Array.from({ length: ops + audit }, (_, n) =>
      anEntry(n, [n < ops ? "ops" : "audit"]),
    );
    for (let from = 0; from < entries.length; from += 500)
      await outbox.add(entries.slice(from, from + 500), [], never);
    const given = {
      kind: "dead",
      at: 9,
      reason: "expired",
      detail: "old",
      counted: false,
    } as const;
    for (let n = 1; n <= entries.length; n += 1) outbox.settle(`d${n}`, given);
    outbox.close();
    db.close();
    return (...argv: string[]) => cli([...argv, `--data-dir=${dataDir}`], { clock });
  }

  it("are shown as far as that goes, with how many there are and how to see the others", async () => {
    const run = await anOutage(1_001, 10);
    const { stdout, stderr } = await run("dead", "list");
    expect(stdout.trimEnd().split("\n")).toHaveLength(1_001);
    expect(stderr).toMatch(
      /^\nthe newest 1000 of 1011; "kube-crier history --state=dead" goes back further\n1011 dead; /,
    );
    const ops = await run("dead", "list", "--sink=ops", "--json");
    expect(json(ops.stdout)).toHaveLength(1_000);
    expect(ops.stderr).toMatch(/^the newest 1000 of 1001; /);
    expect((await run("dead", "list", "--sink=audit")).stderr).toMatch(/^\n10 dead; /);
    const rest = await run("history", "--state=dead", "--limit=2000", "--json");
    expect(json(rest.stdout)).toHaveLength(1_011);
    expect((await run("dead", "retry")).stderr).toBe("1011 deliveries are owed again\n");
  });

  it("are not said to be more where that is all of them", async () => {
    const run = await anOutage(1_000, 0);
    expect((await run("dead", "list")).stderr).toMatch(/^\n1000 dead; /);
    expect((await run("dead", "list", "--json")).stderr).toBe("");
  });
});

describe("dead retry", () => {
  it.each([
    ["retry", "owed again"],
    ["discard", "discarded"],
  ])(
    "%s of a mistyped sink says whom the ledger knows, and repeats no address",
    async (act, what) => {
      const { run } = await aHistory();
      const address = "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=hunter2";
      for (const sink of ["opps", address])
        expect(await run("dead", act, `--sink=${sink}`)).toEqual({
          code: 0,
          stdout: "",
          stderr: `the ledger has no delivery to a sink of that name; it has some to audit, ops\n0 deliveries are ${what}\n`,
        });
      const empty = `--data-dir=${temporaryDirectory()}`;
      const { db } = aLedger({ dataDir: empty.slice(11) });
      db.close();
      expect((await cli(["dead", act, "--sink=ops", empty])).stderr).toBe(
        `the ledger has no delivery to a sink of that name\n0 deliveries are ${what}\n`,
      );
    },
  );

  it("owes them again: by id, of a sink, or all", async () => {
    const { run } = await aHistory();
    expect(await run("dead", "retry", "d2")).toMatchObject({
      code: 0,
      stderr: "1 delivery is owed again\n",
    });
    expect((await run("dead", "retry", "--sink=ops")).stderr).toBe("0 deliveries are owed again\n");
    expect((await run("dead", "retry")).stderr).toBe("1 delivery is owed again\n");
    expect((await run("dead", "list")).stderr).toBe("no dead letters\n");
    expect((await run("dead", "list", "--sink=ops")).stderr).toBe("no dead letters\n");
  });

  it("or puts them away, which is no loss: the history still knows", async () => {
    const { run } = await aHistory();
    expect(await run("dead", "discard", "d2")).toMatchObject({
      code: 0,
      stderr: "1 delivery is discarded\n",
    });
    expect((await run("dead", "retry")).stderr).toBe("1 delivery is owed again\n");
    expect(await run("dead", "discard", "d1")).toMatchObject({ code: 3 });
    expect((await run("history", "--name=web-2")).stdout).toContain("∅ops …audit");
  });

  it("says when an id is none of them, and owes the others all the same", async () => {
    const { run } = await aHistory();
    expect(await run("dead", "retry", "d1", "d2", "d99")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("1 of 3 are dead letters"),
    });
  });

  it("finds no ledger where there is none, and makes none by looking", async () => {
    const empty = temporaryDirectory();
    for (const command of [["history"], ["dead", "list"], ["dead", "retry"]]) {
      const { code, stderr } = await cli([...command, `--data-dir=${empty}`]);
      expect(code).toBe(2);
      expect(stderr).toContain("there is no ledger");
    }
  });
});
