import { describe, expect, test } from "vitest";
import type { KubeEvent } from "../../../../src/event/event.ts";
import type { Cursor, EventRow } from "../../../../src/history/history.ts";
import { EVERYTHING } from "../../../../src/history/history.ts";
import { Classes } from "../../../../src/history/mysql/classes.ts";
import { segmentStatements } from "../../../../src/history/mysql/segments.ts";
import { readTaken } from "../../../../src/history/mysql/taken.ts";
import { Session } from "../../../../src/ledger/mysql/session.ts";
import type { LedgerTarget } from "../../../../src/ledger/mysql/target.ts";
import { storedKey } from "../../../../src/ledger/key.ts";
import { Happenings } from "../../../../bench/history/events.ts";
import { anEvent } from "../../../support/events.ts";
import { anyone, NOON, take } from "../../../support/history.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aServer } from "../../ledger/mysql/support.ts";
import { aHistory } from "./support.ts";

/** More than are looked at one by one; some of them indexed as a segment, the rest not yet. */
const SEGMENTED = 2_600;
const FRESH = 300;
/** More than are looked at together. */
const SEGMENTS = 22;

/** Events of one and the same word: more than are held at once. */
const COMMON = 20_000;

/** What a reader would find who has all of it in mind, newest first. */
function plainly(events: readonly KubeEvent[], words: readonly string[]): readonly string[] {
  return events
    .filter(({ reason, message, object }) =>
      words.every((word) => `${reason}\n${object.name}\n${message}`.toLowerCase().includes(word)),
    )
    .map((event, index) => ({ event, index }))
    .toSorted(
      (a, b) => Date.parse(b.event.lastSeen) - Date.parse(a.event.lastSeen) || b.index - a.index,
    )
    .map(({ event }) => storedKey(event));
}

describe.skipIf(!haveMariadb)("words in a ledger in MySQL", () => {
  const { server, next } = aServer();

  test("are found where they are, and nowhere else, whether or not they have a segment", async () => {
    const kept = await aHistory(server(), next());
    const happenings = new Happenings(3);
    const events = Array.from({ length: SEGMENTED + FRESH }, (_, n) =>
      // Every seventh comes late: it was last seen before some that are there.
      happenings.next(NOON - 3_000_000 + n * 1_000 - (n % 7 === 0 ? 90_000 : 0)),
    );
    for (let at = 0; at < SEGMENTED; at += 500)
      await take(kept, events.slice(at, Math.min(SEGMENTED, at + 500)));
    while (await kept.engine.work());
    await take(kept, events.slice(SEGMENTED));
    const [[segments]] = [
      await server().sql("SELECT COUNT(*) AS n FROM kube_crier_history_segment", databaseOf(kept)),
    ];
    expect(Number(segments?.["n"])).toBe(1);
    for (const words of [
      ["back-off"],
      ["connection refused"],
      ["镜像"],
      ["库存", "扩容"],
      ["超"],
      ["memory cgroup", "web"],
      ["nothing of this kind"],
      ["team-1"],
    ]) {
      const found: EventRow[] = [];
      let before: Cursor | null = null;
      do {
        const page: Awaited<ReturnType<typeof kept.reader.events>> = await kept.reader.events(
          { ...EVERYTHING, words },
          200,
          before,
          anyone,
        );
        expect(page.refine).toBeNull();
        found.push(...page.rows);
        before = page.next;
      } while (before !== null);
      const expected = plainly(events, words);
      expect(
        found.map(({ id }) => id),
        words.join(" "),
      ).toEqual(expected);
      const counted = await kept.total({ words });
      // By trigrams alone: those that are there in another order count, too.
      expect(counted, words.join(" ")).toBeGreaterThanOrEqual(expected.length);
      expect(counted - expected.length, words.join(" ")).toBeLessThanOrEqual(20);
      // Asked for their states too each row is read, and counted for what it is.
      const told = await kept.total({ words, states: ["pending", "delivered"] });
      expect(told, words.join(" ")).toBe(expected.length);
    }
    expect(await kept.total({ words: ["nothing of this kind"] })).toBe(0);
    // What fits by its words alone is not counted: nobody learns of namespaces they may not see.
    const [left] = events.map(({ object }) => object.namespace);
    const isLeft = ({ object }: KubeEvent) => object.namespace === left;
    const namespaces = [...new Set(events.map(({ object }) => object.namespace ?? "-"))].filter(
      (one) => one !== (left ?? "-"),
    );
    const words = ["back-off"];
    const hidden = plainly(events.filter(isLeft), words).length;
    expect(events.filter((one) => !isLeft(one)).length, "too many to be read").toBeGreaterThan(
      2_000,
    );
    expect(hidden).toBeGreaterThan(0);
    expect(await kept.total({ words, namespaces })).toBe((await kept.total({ words })) - hidden);
    const some = await kept.events({ words: ["back-off"], namespaces: ["team-1"] });
    expect(some.rows.length).toBeGreaterThan(0);
    expect(some.rows.every(({ event }) => event.object.namespace === "team-1")).toBe(true);
  }, 240_000);

  test("are found over many segments that overlap, each once and in its order", async () => {
    const kept = await aHistory(server(), next());
    const happenings = new Happenings(5);
    // Every seventh comes late, by more than a segment is long.
    const events = Array.from({ length: SEGMENTS * 150 }, (_, n) =>
      happenings.next(NOON - 6_000_000 + n * 1_000 - (n % 7 === 0 ? 400_000 : 0)),
    );
    for (let at = 0; at < events.length; at += 150) {
      await take(kept, events.slice(at, at + 150));
      while (await kept.engine.work());
      await segment(kept.target);
    }
    const [[made]] = [
      await server().sql("SELECT COUNT(*) AS n FROM kube_crier_history_segment", databaseOf(kept)),
    ];
    expect(Number(made?.["n"])).toBeGreaterThanOrEqual(SEGMENTS - 1);
    for (const words of [["back-off"], ["镜像"], ["库存", "扩容"], ["web", "connection refused"]]) {
      const found: string[] = [];
      let before: Cursor | null = null;
      do {
        const page: Awaited<ReturnType<typeof kept.reader.events>> = await kept.reader.events(
          { ...EVERYTHING, words },
          40,
          before,
          anyone,
        );
        found.push(...page.rows.map(({ id }) => id));
        before = page.next;
      } while (before !== null);
      const expected = plainly(events, words);
      expect(found, words.join(" ")).toEqual(expected);
      expect(await kept.total({ words }), words.join(" ")).toBeGreaterThanOrEqual(expected.length);
    }
  }, 240_000);

  test("are found where they are in more events than are held at once, a bar for each hour", async () => {
    const kept = await aHistory(server(), next());
    const hours = 6;
    const first = NOON - hours * 3_600_000;
    // Ever more of them, and every ninth comes an hour late: segments overlap.
    const events = Array.from({ length: COMMON }, (_, n) =>
      anEvent({
        uid: `uid-${n}`,
        message: `probe ${n} timed out`,
        lastSeen: new Date(
          first + Math.floor(Math.sqrt(n / COMMON) * hours * 3_600_000 * 0.999),
        ).toISOString(),
      }),
    );
    for (const [index, event] of events.entries()) {
      const later = events[index + 300];
      if (index % 9 === 0 && later !== undefined)
        [events[index], events[index + 300]] = [later, event];
    }
    for (let at = 0; at < COMMON; at += COMMON / 5) {
      await take(kept, events.slice(at, at + COMMON / 5));
      while (await kept.engine.work());
      await segment(kept.target);
    }
    const line = await kept.reader.timeline(
      { ...EVERYTHING, from: first, to: NOON, words: ["timed out"] },
      { by: "reason", step: 3_600_000, top: 9 },
      anyone,
    );
    const hourOf = ({ lastSeen }: KubeEvent) =>
      Math.floor((Date.parse(lastSeen) - first) / 3_600_000);
    expect(line.refine).toBeNull();
    expect(line.series[0]?.counts).toEqual(
      Array.from(
        { length: hours },
        (_, hour) => events.filter((one) => hourOf(one) === hour).length,
      ),
    );
    const page = await kept.events({ words: ["probe", "timed"], names: ["web*"] }, 50);
    // Within a second the order is that of their arrival.
    const second = ({ lastSeen }: KubeEvent) => lastSeen.slice(0, 19);
    const newest = events.map(second).toSorted().toReversed();
    expect(page.rows.map(({ event }) => second(event))).toEqual(newest.slice(0, 50));
  }, 240_000);

  test("are counted for the names that are asked for alone, where too many have such a name to look at each", async () => {
    const kept = await aHistory(server(), next());
    const events = Array.from({ length: 2_400 }, (_, n) =>
      anEvent({
        uid: `uid-${n}`,
        message: "probe timed out",
        lastSeen: new Date(NOON - n * 1_000).toISOString(),
        object: { name: n % 2 === 0 ? `web-${n}` : `api-${n}` },
      }),
    );
    for (let at = 0; at < events.length; at += 400) await take(kept, events.slice(at, at + 400));
    while (await kept.engine.work());
    for (const words of [["timed out"], ["probe", "web-1"]]) {
      const expected = plainly(
        events.filter(({ object }) => object.name.startsWith("web-")),
        words,
      );
      expect(await kept.total({ words, names: ["web-*"] })).toBe(expected.length);
      const { rows } = await kept.events({ words, names: ["web-*"] }, 1_000);
      expect(rows.map(({ id }) => id)).toEqual(expected.slice(0, 1_000));
    }
    expect(await kept.total({ words: ["timed out"] })).toBe(2_400);
  }, 120_000);
});

/** What has no segment yet becomes one, as if it were as many as fill one. */
async function segment(target: LedgerTarget): Promise<void> {
  const session = new Session(target);
  const classes = new Classes();
  await classes.load(session);
  const [[high, worded] = []] = await session.query("SELECT high, worded FROM kube_crier_history");
  const where = `o.seq > ${Number(worded)} AND o.seq <= ${Number(high)} ORDER BY o.seq`;
  for (const statement of await segmentStatements(await readTaken(session, classes, where)))
    await session.query(statement);
  await session.query(`UPDATE kube_crier_history SET worded = ${Number(high)}`);
  await session.end();
}

function databaseOf({ target }: Awaited<ReturnType<typeof aHistory>>): string {
  return target.dsn.database;
}
