import * as fc from "fast-check";
import { expect } from "vitest";
import type { Delivery, Outcome } from "../../src/event/delivery.ts";
import type { Entry } from "../../src/ledger/ledger.ts";
import { settle } from "./clock.ts";
import { anEntry, never } from "./ledger.ts";
import { DIGEST, type LedgerModel, SINKS } from "./ledger-model.ts";
import type { Can, LedgerRig } from "./ledger-rig.ts";

type Command = fc.AsyncCommand<LedgerModel, LedgerRig>;
const none: ReadonlySet<string> = new Set();
const SCOPE = "kubernetes:*";

type Due = Pick<Delivery, "id" | "attempts" | "owedAt" | "notBefore">;

/** Everything a lane, a start and a person can ask. */
export async function compare(model: LedgerModel, rig: LedgerRig): Promise<void> {
  // It waits for what a ledger that takes nothing has not written.
  if (!model.blocked) await rig.outbox.written();
  await settle();
  if (model.blind) return compareBlind(model, rig);
  const { outbox } = rig;
  for (const sink of SINKS) {
    const due = model.due(sink);
    const found = outbox.due(sink, model.now, 1_000, none);
    const shown = ({ id, attempts, owedAt, notBefore }: Due) => ({
      id,
      attempts,
      owedAt,
      notBefore,
    });
    // Those of the same moment may change places while memory holds what the disk refuses.
    const tie = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    const order = (all: ReturnType<typeof shown>[]) =>
      model.troubled
        ? all.toSorted((a, b) => a.notBefore - b.notBefore || a.owedAt - b.owedAt || tie(a, b))
        : all;
    expect(order(found.map(shown)), `due of ${sink}`).toEqual(order(due.map(shown)));
    for (const [index, one] of found.entries()) {
      const before = found[index - 1];
      if (before !== undefined)
        expect(one.notBefore, "in order").toBeGreaterThanOrEqual(before.notBefore);
    }
    // A part of it, and without those under way, is a part of the same order.
    const except = new Set(found.slice(0, 2).map(({ id }) => id));
    expect(outbox.due(sink, model.now, 2, except)).toEqual(found.slice(2, 4));

    const pending = model.pending(sink);
    const later = pending.filter(({ notBefore }) => notBefore > model.now);
    const least = (times: readonly number[]) => (times.length === 0 ? null : Math.min(...times));
    const nextAt = least(later.map(({ notBefore }) => notBefore));
    expect(outbox.pending(sink, model.now), `pending of ${sink}`).toEqual({
      due: due.length,
      total: pending.length,
      nextAt,
      oldestOwedAt: least(pending.map(({ owedAt }) => owedAt)),
    });
    expect(outbox.nextAt(sink, model.now), `nextAt of ${sink}`).toBe(nextAt);
    const since = model.now - 60_000;
    expect([...outbox.recentAttempts(sink, since)].toSorted((a, b) => a - b)).toEqual(
      model.attempts(sink, since),
    );
    // Never sooner than the platform asked; a start, which alone needs it, is told exactly.
    if (!model.troubled)
      expect(outbox.throttledUntil(sink, model.now) ?? 0).toBeGreaterThanOrEqual(
        model.throttledUntil(sink) ?? 0,
      );
  }
  expect(outbox.checkpoints().get(SCOPE)?.resourceVersion ?? null).toBe(
    model.checkpoint === null ? null : String(model.checkpoint),
  );
  if (!model.troubled) await compareHistory(model, rig);
}

/** Of what cannot be read only this much is sure: what is due is owed, and nothing that was answered is due again. */
function compareBlind(model: LedgerModel, { outbox }: LedgerRig): void {
  for (const sink of SINKS) {
    const owed = new Set(model.due(sink).map(({ id }) => id));
    const found = outbox.due(sink, model.now, 1_000, none).map(({ id }) => id);
    expect(found.filter((id) => !owed.has(id))).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
  }
}

async function compareHistory(model: LedgerModel, rig: LedgerRig): Promise<void> {
  const found = (await rig.deliveries()).map((row) => ({
    id: row.id,
    sink: row.sink,
    state: row.state,
    attempts: row.attempts,
    settledAt: row.settledAt,
    reason: row.reason,
    foldedInto: row.foldedInto,
  }));
  const expected = model.all.map(
    ({ id, sink, state, attempts, settledAt, reason, foldedInto }) => ({
      id,
      sink,
      state,
      attempts,
      settledAt,
      reason,
      foldedInto,
    }),
  );
  const byId = (a: { id: string }, b: { id: string }) =>
    Number(a.id.slice(1)) - Number(b.id.slice(1));
  expect(found.toSorted(byId)).toEqual(expected.toSorted(byId));
}

/** At once, or as soon as what is asked of another process has come. */
export async function eventually(look: () => Promise<void>, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() >= until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A command that is compared afterwards; `may`: whether it makes sense now. */
function command(
  name: string,
  may: (model: LedgerModel) => boolean,
  run: (model: LedgerModel, rig: LedgerRig) => Promise<void>,
): Command {
  return {
    check: (model) => may(model as LedgerModel),
    async run(model, rig) {
      await run(model, rig);
      model.now = rig.clock.now();
      await eventually(() => compare(model, rig), rig.patienceMs);
    },
    toString: () => name,
  };
}

const always = () => true;
const sound = (model: LedgerModel) => !model.troubled;
const show = (value: unknown) => JSON.stringify(value);

function pick<T>(all: readonly T[], where: number): T | undefined {
  return all[where % Math.max(1, all.length)];
}

const sinks = fc.subarray([...SINKS]);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  // Few, so that the same one comes again and again.
  { weight: 8, arbitrary: fc.tuple(fc.nat(14), sinks).map(([n, to]) => anEntry(n, to)) },
  { weight: 1, arbitrary: sinks.map((to) => ({ event: null, alert: DIGEST, sinks: to })) },
);

/** What it answers is what the model says. */
function agree(found: unknown, expected: unknown): void {
  expect(found).toEqual(expected);
}

const add = fc
  .tuple(fc.array(entry, { maxLength: 6 }), fc.option(fc.nat(1_000)))
  .map(([entries, version]) =>
    command(
      `add(${show(entries.map(({ event, sinks: to }) => [event?.object.name ?? "digest", to]))}, ${version})`,
      always,
      async (model, rig) => {
        const checkpoints =
          version === null
            ? []
            : [{ scope: SCOPE, cluster: "c", resourceVersion: String(version), at: model.now }];
        const from = rig.made.length;
        const answer = rig.outbox.add(entries, checkpoints, never);
        if (model.blocked) {
          let isAnswered = false;
          void answer.then(() => (isAnswered = true));
          await settle();
          agree(isAnswered, false);
          model.giveWaiting(entries, version, answer, rig.made.slice(from));
          return;
        }
        const answered = await answer;
        // Blind it may take what it took before; never does it drop what it did not.
        agree(answered, model.expected(entries, answered));
        model.add(entries, version, answered, rig.made.slice(from));
      },
    ),
  );

const outcome: fc.Arbitrary<(now: number) => Outcome> = fc.oneof(
  fc.constant((at: number) => ({ kind: "delivered" as const, at, sent: "{}", answer: "ok" })),
  fc
    .record({
      waitMs: fc.integer({ min: 0, max: 5_000 }),
      reason: fc.constantFrom("server" as const, "throttled" as const),
      counted: fc.boolean(),
    })
    .map(({ waitMs, ...rest }) => (at: number) => ({
      kind: "retry" as const,
      at,
      notBefore: at + waitMs,
      detail: "no",
      ...rest,
    })),
  fc.boolean().map((counted) => (at: number) => ({
    kind: "dead" as const,
    at,
    reason: "rejected" as const,
    detail: "never",
    counted,
  })),
);

/** As the lane does: each that is due at most once at a time. */
const answers = fc
  .tuple(fc.constantFrom(...SINKS), fc.array(outcome, { minLength: 1, maxLength: 4 }))
  .map(([sink, outcomes]) =>
    command(
      `answers(${sink}, ${show(outcomes.map((of) => of(0).kind))})`,
      (model) => model.due(sink).length > 0,
      async (model, rig) => {
        const due = rig.outbox.due(sink, model.now, outcomes.length, none);
        for (const [index, { id }] of due.entries()) {
          const what = outcomes[index]?.(model.now);
          if (what === undefined) continue;
          rig.outbox.settle(id, what);
          model.settle(id, what);
          if (what.kind !== "retry")
            agree(
              rig.outbox.due(sink, model.now, 1_000, none).filter((one) => one.id === id),
              [],
            );
        }
      },
    ),
  );

/** Given up while its request was under way, and accepted after all. */
const late = fc.nat().map((where) =>
  command(
    "late",
    (model) => sound(model) && model.all.some(({ state }) => state === "dead"),
    async (model, rig) => {
      const dead = pick(
        model.all.filter(({ state }) => state === "dead"),
        where,
      );
      if (dead === undefined) return;
      const what = { kind: "delivered", at: model.now, sent: "{}", answer: "ok" } as const;
      rig.outbox.settle(dead.id, what);
      model.settle(dead.id, what);
    },
  ),
);

/** A second answer about what was delivered or folded changes nothing. */
const twice = fc.tuple(fc.nat(), outcome).map(([where, of]) =>
  command(
    `twice(${of(0).kind})`,
    (model) =>
      sound(model) && model.all.some(({ state }) => state === "delivered" || state === "folded"),
    async (model, rig) => {
      const over = model.all.filter(({ state }) => state === "delivered" || state === "folded");
      const one = pick(over, where);
      if (one !== undefined) rig.outbox.settle(one.id, of(model.now));
    },
  ),
);

const fold = fc
  .tuple(fc.constantFrom(...SINKS), fc.integer({ min: 2, max: 5 }))
  .map(([sink, count]) =>
    command(
      `fold(${sink}, ${count})`,
      (model) => model.due(sink).length > 1,
      async (model, rig) => {
        const ids = rig.outbox.due(sink, model.now, count, none).map(({ id }) => id);
        model.fold(ids, rig.outbox.fold(sink, ids, DIGEST, model.now));
      },
    ),
  );

const attempting = fc.constantFrom(...SINKS).map((sink) =>
  command(`attempting(${sink})`, always, async (model, rig) => {
    rig.outbox.attempting(sink, model.now);
    model.attempting(sink);
  }),
);

const pass = fc
  .integer({ min: 1, max: 9_000 })
  .map((ms) => command(`pass(${ms})`, always, (_, rig) => rig.clock.advance(ms)));

const byHand = fc.constantFrom(...SINKS).map((sink) =>
  command(`retry(${sink})`, sound, async (model, rig) => {
    agree(await rig.retry(sink, model.now), model.retryAll(sink));
  }),
);

const prune = fc.integer({ min: 0, max: 20_000 }).map((age) =>
  command(`prune(${age})`, sound, async (model, rig) => {
    await rig.prune(model.now - age, model.now);
    model.prune(model.now - age);
  }),
);

const overflow = fc.integer({ min: 1, max: 4 }).map((limit) =>
  command(`overflow(${limit})`, sound, async (model, rig) => {
    agree(await rig.overflow(limit, model.now), model.overflow(limit));
  }),
);

const refuse = fc.constant(
  command("refuse", sound, async (model, rig) => {
    rig.refuse("writes");
    model.refuse();
  }),
);

const lose = fc.constant(
  command("lose", sound, async (model, rig) => {
    rig.refuse("all");
    // Somebody notices.
    rig.outbox.attempting("ops", model.now);
    model.refuse();
    model.attempting("ops");
    model.blind = true;
  }),
);

/** It is well again: what was held is written, and who waited is answered. */
export async function mended(model: LedgerModel, rig: LedgerRig): Promise<void> {
  await rig.mend();
  model.recover();
  await model.answerWaiting(agree);
}

const mend = fc.constant(
  command(
    "mend",
    (model) => model.troubled,
    async (model, rig) => {
      await mended(model, rig);
    },
  ),
);

/** What the lanes of a new process ask before anything else. */
function begin(model: LedgerModel, rig: LedgerRig): void {
  const now = rig.clock.now();
  model.now = now;
  agree(
    SINKS.map((sink) => rig.outbox.throttledUntil(sink, now)),
    SINKS.map((sink) => model.throttledUntil(sink)),
  );
}

const die = fc.constant(
  command("die", always, async (model, rig) => {
    await rig.die();
    model.die();
    begin(model, rig);
  }),
);

const restart = fc.constant(
  command("restart", always, async (model, rig) => {
    // Told to end while the disk refuses, it says how much is lost; told so while all is well, nothing is.
    agree(await rig.restart(), model.die());
    begin(model, rig);
  }),
);

/** What can happen to a ledger, in any order. */
export function ledgerCommands({ refuse: refuses }: Can) {
  const always = [add, add, add, answers, answers, fold, attempting, late, twice, pass, byHand];
  const ends = [die, restart];
  return fc.commands(
    [...always, prune, overflow, lose, mend, ...(refuses ? [refuse] : []), ...ends],
    { maxCommands: 40, size: "+1" },
  );
}
