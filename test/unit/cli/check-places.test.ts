import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { cli, type CliOptions } from "../../support/io.ts";
import { KUBE_EVENTERS, OWN, saysOf } from "../../support/mysql-tables.ts";
import { startMysqlWire, type WireOptions } from "../../support/mysql-wire.ts";
import { RawServer } from "../../support/raw-server.ts";
import { kubeconfigFor } from "../../support/source.ts";

/** What `check` says of the places that a run would use, one row each. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-check-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function check(flags: readonly string[], options?: CliOptions) {
  const source = flags.some((flag) => flag.startsWith("--source=")) ? [] : ["--source=file:-"];
  const data = flags.some((flag) => flag.startsWith("--ledger")) ? [] : [`--data-dir=${folder}`];
  const result = await cli(["check", ...source, ...data, ...flags], options);
  expect(result.stdout + result.stderr).not.toContain("hunter2");
  return result;
}

/** The third column of the row about something. */
const resultOf = (stdout: string, area: string): string =>
  new RegExp(`^${area} {2,}.*? {2,}(.*)$`, "m").exec(
    stdout.slice(stdout.indexOf("\nchecked")),
  )?.[1] ?? "";

async function database(
  answer: WireOptions["answer"],
  rest: Omit<WireOptions, "answer"> = {},
): Promise<string> {
  const wire = await startMysqlWire({ answer, ...rest });
  onTestFinished(() => wire.close());
  return `127.0.0.1:${wire.port}`;
}

const denied = () =>
  ({ error: 1045, message: "Access denied for user 'crier'@'localhost'" }) as const;

describe("a sink that can be asked", () => {
  const sink = (address: string, more = "") =>
    `--sink=mysql:?crier:hunter2@tcp(${address})/events${more}`;

  it("answers, and can be used", async () => {
    const { code, stdout } = await check([sink(await database(saysOf(OWN, () => null)))]);
    expect([code, resultOf(stdout, "sink")]).toEqual([0, "answers, and can be used"]);
  });

  it("cannot be used where it lets nobody in: a mistake, named with the sink", async () => {
    const address = await database(() => ({ rows: [] }), { greets: denied });
    const { code, stdout, stderr } = await check([sink(address)]);
    expect([code, resultOf(stdout, "sink")]).toEqual([2, "cannot be used"]);
    expect(stderr).toMatch(/^ {2}sink mysql: .*Access denied for user 'crier'/m);
    expect(stdout).not.toContain("all is well");
  });

  it("that is away would be waited for, which is no mistake", async () => {
    const { code, stdout } = await check([sink("127.0.0.1:1")]);
    expect(code).toBe(0);
    expect(resultOf(stdout, "sink")).toMatch(/^is away and would be waited for: .*ECONNREFUSED/);
    expect(stdout).toContain("all is well: run would start");
  });

  it("is told in the order of the configuration, each by its name, whichever answers first", async () => {
    const sound = await database(saysOf(KUBE_EVENTERS, () => null));
    const { stdout } = await check([
      sink("127.0.0.1:1", "?name=first"),
      "--sink=stdout:?name=second",
      sink(sound, "?name=third"),
    ]);
    const rows = stdout.split("\n").filter((row) => /^sink {2,}\w+ \(\w+\) /.test(row));
    expect(rows.map((row) => row.split(/ {2,}/)[1])).toEqual([
      "first (mysql)",
      "second (stdout)",
      "third (mysql)",
    ]);
    expect(rows[1]).toMatch(/ready$/);
  });
});

describe("a ledger in a database", () => {
  const url = (address: string) => `--ledger=mysql://crier:hunter2@${address}/crier`;

  it("that is empty can be written, and nothing is made in it", async () => {
    const seen: string[] = [];
    const address = await database(({ sql }) => {
      seen.push(sql);
      return { rows: [] };
    });
    const { code, stdout, stderr } = await check([url(address), "--sink=stdout:"]);
    expect(code, stderr).toBe(0);
    expect(resultOf(stdout, "ledger")).toBe("answers, and can be written");
    expect(seen.filter((sql) => /^(CREATE|INSERT|DELETE|ALTER|UPDATE)/.test(sql))).toEqual([]);
  });

  it("that is away would be waited for", async () => {
    const { code, stdout } = await check([url("127.0.0.1:1"), "--sink=stdout:"]);
    expect(code).toBe(0);
    expect(resultOf(stdout, "ledger")).toMatch(/^would be waited for: .*127\.0\.0\.1:1/);
  });

  it("that lets nobody in cannot be used, and the place is named without its password", async () => {
    const address = await database(() => ({ rows: [] }), { greets: denied });
    const { code, stdout, stderr } = await check([url(address), "--sink=stdout:"]);
    expect(code).toBe(2);
    expect(resultOf(stdout, "ledger")).toBe("cannot be used");
    expect(stderr).toContain(`--ledger mysql://${address}/crier: `);
  });

  it("of a newer program cannot be used", async () => {
    const address = await database(({ sql }) =>
      /version FROM/.test(sql) ? { rows: [["99"]] } : { rows: [["1"]] },
    );
    const { code, stdout, stderr } = await check([url(address), "--sink=stdout:"]);
    expect([code, resultOf(stdout, "ledger")]).toEqual([2, "cannot be used"]);
    expect(stderr).toContain("the ledger has version 99");
  });
});

describe("a data directory", () => {
  it.each([
    ["that is there", ""],
    ["that is to be made", "/a/b/c"],
  ])("%s can be written, and is not made", async (_, below) => {
    const place = `${folder}${below}`;
    const { code, stdout } = await check([`--data-dir=${place}`, "--sink=stdout:"]);
    expect([code, resultOf(stdout, "ledger")]).toEqual([0, "can be written"]);
    expect(() => mkdirSync(`${folder}/a`)).not.toThrow();
  });

  it("whose file is no ledger at all would be set aside, and begun anew", async () => {
    writeFileSync(path.join(folder, "ledger.db"), "no database, but somebody's notes ".repeat(40));
    const { code, stdout } = await check(["--sink=stdout:"]);
    expect(code).toBe(0);
    expect(resultOf(stdout, "ledger")).toMatch(
      /^is damaged: .*; the start sets it aside and begins a new one$/,
    );
  });
});

describe("a Lease", () => {
  let api: FakeApiServer;
  beforeEach(async () => {
    api = await FakeApiServer.start();
  });
  afterEach(() => api.close());

  const isReview = ({ path: where }: { path: string }) =>
    where.endsWith("/selfsubjectaccessreviews");
  const review = (allowed: boolean) => ({
    status: 201,
    headers: {},
    body: JSON.stringify({ status: { allowed, reason: "" } }),
  });
  const elected = () => [
    `--source=kubernetes:?kubeconfig=${kubeconfigFor(api)}`,
    "--leader-elect",
    "--leader-elect-resource-namespace=crier",
    "--ledger=mysql://crier:hunter2@127.0.0.1:1/crier",
    "--sink=stdout:",
  ];

  it("that may be held is said to, and is not taken", async () => {
    // Four for the events, of two groups, and three for the Lease.
    api.answer(review(true), isReview, 7);
    const { code, stdout, stderr } = await check(elected());
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^lease +crier\/kube-crier +may be held, or will be tried$/m);
    expect(api.leases.get("crier/kube-crier")).toBeUndefined();
  });

  it("that may not be held is a mistake, with the rule that is missing", async () => {
    api.answer(review(true), isReview, 4);
    api.answer(review(false), isReview, 3);
    const { code, stdout, stderr } = await check(elected());
    expect(code).toBe(2);
    expect(stdout).toMatch(/^lease +crier\/kube-crier +cannot be held$/m);
    expect(stderr).toMatch(/resources: \["leases"\]/);
  });
});

describe("a template", () => {
  it.each([
    ["good", '{"text": {{json event.message}} }', 0, /^renders \d examples$/, /^$/],
    [
      "no JSON once it is filled in",
      '{"text": {{event.message}} }',
      2,
      /^does not render$/,
      /^ {2}sink audit: .*\n {6}→ mend the template; `kube-crier render` shows/m,
    ],
  ])("that is %s is told, beside those of other sinks", async (_, body, expected, result, told) => {
    const config = path.join(folder, "config.yaml");
    const bodyFile = path.join(folder, "body.hbs");
    writeFileSync(bodyFile, body);
    const audit = { type: "webhook", url: "http://127.0.0.1:1/hook", bodyFile };
    writeFileSync(config, JSON.stringify({ sinks: { audit, out: { type: "stdout" } } }));
    const { code, stdout, stderr } = await check([`--config=${config}`]);
    expect(code, stderr).toBe(expected);
    const rows = stdout.split("\n").filter((row) => row.startsWith("template "));
    expect(rows.map((row) => row.split(/ {2,}/).slice(1))).toEqual([
      ["audit", expect.stringMatching(result)],
      ["out", "renders 4 examples"],
    ]);
    expect(stderr).toMatch(told);
  });
});

describe("a check that is told to end", () => {
  it("has not passed: a CI job that runs out of time is no good configuration", async () => {
    const silent = await RawServer.start();
    onTestFinished(() => silent.close());
    const stop = new AbortController();
    const kubeconfig = path.join(folder, "kubeconfig");
    const named = { name: "a", cluster: { server: silent.url } };
    const contexts = [{ name: "a", context: { cluster: "a" } }];
    writeFileSync(
      kubeconfig,
      JSON.stringify({ "current-context": "a", clusters: [named], contexts, users: [] }),
    );
    const running = check([`--source=kubernetes:?kubeconfig=${kubeconfig}`, "--sink=stdout:"], {
      signal: stop.signal,
      clock: new FakeClock(),
    });
    await silent.until(() => silent.requests.length > 0);
    stop.abort();
    const { code, stdout, stderr } = await running;
    expect(code).toBe(1);
    expect(stderr).toContain("told to end: not everything was checked");
    expect(stdout).not.toContain("all is well");
  });
});
