import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier, until } from "../support/crier.ts";
import { type Received, type Reply, startInbox } from "../support/inbox.ts";
import { cli } from "../support/io.ts";
import { seeded } from "../support/life.ts";
import { kubeconfigFor } from "../support/source.ts";

/**
 * The real program, killed before and after each single change of its ledger, one run for each; CRASH_POINTS=all makes all of them, otherwise
 * some are chosen, others with CRASH_SEED.
 */
const DIES = pathToFileURL(path.resolve(import.meta.dirname, "../support/die-at-write.ts")).href;
const ALL = process.env["CRASH_POINTS"] === "all";
const CHOSEN = 12;
const SEED = Number(process.env["CRASH_SEED"] ?? 1);
/** A life is a second: what Node compiled for the first, the others need not. */
const CACHE = mkdtempSync(path.join(tmpdir(), "kube-crier-crash-cache-"));
/** Runs at the same time. */
const ABREAST = 3;
/** How many requests of one sink may be under way when it dies, and are then made twice. */
const CONCURRENCY = 8;

const BEFORE = ["before-1", "before-2"];
const DURING = ["during-1", "during-2", "during-3", "poison"];
/** What each sink must accept in the end; both hooks refuse poison for good. */
const EVERYTHING = [...BEFORE, ...DURING].map((name) => `${name}@1`).concat("before-1@2");
const GOOD = EVERYTHING.filter((what) => what !== "poison@1");

interface Accepted {
  readonly sink: string;
  /** `name@count`; of the robot, whose messages have no count that can be read, the name. */
  readonly what: string;
  readonly key: string;
}

/** An API server, three receivers and a data directory, in which one process after the other lives. */
class Stage {
  readonly accepted: Accepted[] = [];
  readonly dataDir: string;
  readonly log: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "kube-crier-crash-"));
  readonly #api: FakeApiServer;
  readonly #url: string;
  readonly #refused = new Set<string>();
  readonly #ends: (() => Promise<unknown>)[] = [];
  #happened = false;

  private constructor(api: FakeApiServer, url: string) {
    this.#api = api;
    this.#url = url;
    this.dataDir = path.join(this.#folder, "data");
    this.log = path.join(this.#folder, "points");
  }

  static async begin(): Promise<Stage> {
    const [api, inbox] = [await FakeApiServer.start(), await startInbox()];
    const stage = new Stage(api, inbox.url);
    stage.#ends.push(
      () => api.close(),
      () => inbox.close(),
    );
    onTestFinished(() => stage.end());
    inbox.reply((request) => stage.#answer(request));
    // As the API server would stamp them: `--replay` looks at it.
    const lastTimestamp = new Date().toISOString().replace(/\.\d+/, "");
    for (const name of BEFORE) api.create(name, { lastTimestamp });
    return stage;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  /** A process from its start to its end, which SIGTERM brings when all has been told, or death before. */
  async live(dieAt: number | null): Promise<Crier> {
    const watches = () =>
      this.#api.asked("watch").filter(({ query }) => query.has("allowWatchBookmarks"));
    const before = watches().length;
    const preload = { NODE_OPTIONS: `--import=${DIES}`, DIE_LOG: this.log };
    const crier = new Crier(
      [
        "run",
        `--source=kubernetes:?kubeconfig=${kubeconfigFor(this.#api, undefined, {}, this.#folder)}`,
        `--sink=webhook:${this.#url}/well?name=well`,
        `--sink=webhook:${this.#url}/unwell?name=unwell`,
        // With a rate, so that attempts are written as well.
        `--sink=dingtalk:${this.#url}/robot?access_token=t&lang=en&name=robot`,
        `--data-dir=${this.dataDir}`,
        "--replay=15m",
      ],
      {
        env: {
          NODE_COMPILE_CACHE: CACHE,
          ...(dieAt === null ? {} : { ...preload, DIE_AT: String(dieAt) }),
        },
      },
    );
    this.#ends.push(() => crier.destroy());
    const over = () => (crier.running ? undefined : true);
    await until(() => over() ?? (watches().length > before || undefined), "a watch");
    if (crier.running && !this.#happened) {
      this.#happened = true;
      for (const name of DURING) this.#api.create(name);
      this.#api.update("before-1");
    }
    await until(() => over() ?? (this.complete || undefined), "everything to be told");
    crier.kill("SIGTERM");
    await crier.ended();
    return crier;
  }

  get complete(): boolean {
    const told = (sink: string) =>
      new Set(this.accepted.filter((one) => one.sink === sink).map(({ key }) => key)).size;
    return (
      told("well") >= GOOD.length &&
      told("unwell") >= GOOD.length &&
      told("robot") >= EVERYTHING.length &&
      this.#refused.has("/well poison@1") &&
      this.#refused.has("/unwell poison@1")
    );
  }

  #answer(request: Received): Reply {
    const { url, body, headers } = request;
    if (url.startsWith("/robot")) {
      const { msgUuid } = JSON.parse(body) as { msgUuid: string };
      const what = /message of ([\w-]+)/.exec(body)?.[1] ?? "";
      this.accepted.push({ sink: "robot", what, key: msgUuid });
      return { status: 200, body: { errcode: 0, errmsg: "ok" } };
    }
    const { event } = JSON.parse(body) as { event: { eventName: string; count: number } };
    const what = `${event.eventName}@${event.count}`;
    const mayRefuse = what === "poison@1" || (url === "/unwell" && what.startsWith("during"));
    if (mayRefuse && (what === "poison@1" || !this.#refused.has(`${url} ${what}`))) {
      this.#refused.add(`${url} ${what}`);
      return { status: what === "poison@1" ? 400 : 503 };
    }
    this.accepted.push({ sink: url.slice(1), what, key: String(headers["idempotency-key"]) });
    return { status: 200 };
  }
}

function points(log: string): readonly string[] {
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

async function expectSound(dataDir: string): Promise<void> {
  if (!existsSync(path.join(dataDir, "ledger.db"))) return;
  const { code, stdout, stderr } = await cli(["ledger", "check", `--data-dir=${dataDir}`]);
  expect([code, stderr], stdout).toEqual([0, ""]);
}

/** What a user relies on, wherever the first process died. */
async function expectKept(stage: Stage): Promise<void> {
  const { accepted, dataDir } = stage;
  for (const [sink, wanted] of [
    ["well", GOOD],
    ["unwell", GOOD],
    ["robot", EVERYTHING.map((what) => what.replace(/@.*/, ""))],
  ] as const) {
    const of = accepted.filter((one) => one.sink === sink);
    const keys = new Map(of.map(({ key, what }) => [key, what]));
    // One key for each occurrence, whatever was made twice: none is lost, none is told as another.
    expect([...keys.values()].toSorted(), sink).toEqual(wanted.toSorted());
    expect(of.length - keys.size, `${sink} twice`).toBeLessThanOrEqual(CONCURRENCY);
  }
  await expectSound(dataDir);
  const history = openHistory(dataDir, "read");
  const deliveries = history.deliveries({ limit: 1_000 });
  history.close();
  const states = deliveries.map(({ sink, state, reason }) => `${sink} ${state} ${reason ?? ""}`);
  expect(states.filter((text) => !text.endsWith(" delivered ")).toSorted()).toEqual([
    "unwell dead rejected",
    "well dead rejected",
  ]);
  const told = new Set(accepted.map(({ key }) => key));
  expect(
    deliveries.filter(({ id, state }) => state === "delivered" && !told.has(id)),
    "delivered, and yet with nobody",
  ).toEqual([]);
}

async function killedAt(point: number): Promise<string> {
  const stage = await Stage.begin();
  const first = await stage.live(point);
  await expectSound(stage.dataDir);
  const second = await stage.live(null);
  expect(second.log.at(-1), second.stderr).toMatchObject({ pending: 0, lost: 0 });
  await expectKept(stage);
  await stage.end();
  return `${first.exitedBy ?? "none"} at ${points(stage.log).at(-1)}`;
}

function chosen(count: number): readonly number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  if (ALL) return all;
  const random = seeded(SEED);
  // One of each stretch, so that every phase of the run is met.
  return Array.from({ length: CHOSEN }, (_, index) =>
    Math.floor(((index + random()) * count) / CHOSEN),
  );
}

describe("killed at a change of the ledger", { timeout: ALL ? 3_600_000 : 240_000 }, () => {
  it(`loses nothing and makes twice only what was under way (seed ${SEED})`, async () => {
    const whole = await Stage.begin();
    const undisturbed = await whole.live(Number.MAX_SAFE_INTEGER);
    expect(undisturbed.log.at(-1), undisturbed.stderr).toMatchObject({ pending: 0, lost: 0 });
    await expectKept(whole);
    expect(whole.accepted.length, "nothing twice").toBe(2 * GOOD.length + EVERYTHING.length);
    const changes = points(whole.log);
    for (const kind of [
      /INSERT INTO delivery/,
      /UPDATE delivery/,
      /checkpoint/,
      /COMMIT/,
      /attempt/,
    ])
      expect(changes.filter((line) => kind.test(line)).length, `${kind}`).toBeGreaterThan(0);

    const left = [...chosen(changes.length)];
    const died: string[] = [];
    const lane = async () => {
      for (let point = left.shift(); point !== undefined; point = left.shift())
        died.push(await killedAt(point));
    };
    await Promise.all(Array.from({ length: ABREAST }, lane));
    // The last few points may be missing where two settlements came in one turn.
    expect(died.filter((how) => how.startsWith("SIGKILL")).length).toBeGreaterThan(died.length / 2);
  });
});
