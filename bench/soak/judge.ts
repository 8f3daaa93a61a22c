import type { Measured } from "./sample.ts";
import { type Sample, trendOf } from "./trend.ts";

/** While it grows to its working size: code is compiled, pages are touched, the first bursts come. */
const WARM_UP_S = 300;
/** What may come on top over the time that is judged, besides chance: one of V8's larger pages, a few SQLite ones. */
const GROWTH = { rss: 4, fds: 3 } as const;
/** Judged for less than this, it may still be growing to its size: then only what leaks about as much as an event has is seen. */
const SHORT_S = 600;
const SHORT_GROWTH = { rss: 20, fds: 3 } as const;

/** What became of the events, at one sink. */
export interface Account {
  readonly sink: string;
  /** The API server has them, the sink has not. */
  readonly lost: number;
  /** Taken a second time. */
  readonly twice: number;
}

export interface Soaked {
  readonly samples: readonly Measured[];
  readonly created: number;
  readonly accounts: readonly Account[];
  readonly dead: number;
  readonly pending: number;
  readonly exitCode: number | null;
  /** What `kube-crier ledger check` found. */
  readonly ledger: { readonly code: number | null; readonly said: string };
}

/** After the first five minutes; of a short run, after the first two fifths. */
export function settled(samples: readonly Measured[]): readonly Measured[] {
  const last = samples.at(-1)?.seconds ?? 0;
  const from = Math.min(WARM_UP_S, last * 0.4);
  return samples.filter(({ seconds }) => seconds >= from);
}

/** Empty: the soak has passed. */
export function complaints(run: Soaked): readonly string[] {
  const found: string[] = [];
  const judged = settled(run.samples);
  const isShort = (judged.at(-1)?.seconds ?? 0) - (judged[0]?.seconds ?? 0) < SHORT_S;
  if (judged.length < 12) found.push(`only ${judged.length} samples: too few to see a trend in`);
  for (const [what, unit] of [
    ["rss", "MiB"],
    ["fds", "open files"],
  ] as const) {
    const series = judged.map((sample): Sample => [sample.seconds, sample[what]]);
    const { slope, growth } = trendOf(series);
    const allowed = (isShort ? SHORT_GROWTH : GROWTH)[what];
    if (growth > allowed)
      found.push(
        `${what} rises: ${perHour(slope)} ${unit} an hour, at least ${growth.toFixed(1)} over the time judged (allowed: ${allowed})`,
      );
  }
  if (run.created === 0) found.push("no event was created");
  for (const { sink, lost, twice } of run.accounts) {
    if (lost > 0) found.push(`${sink}: ${lost} lost`);
    if (twice > 0) found.push(`${sink}: ${twice} twice`);
  }
  if (run.dead > 0) found.push(`${run.dead} deliveries were given up`);
  if (run.pending > 0) found.push(`${run.pending} deliveries are still owed`);
  if (run.exitCode !== 0) found.push(`it ended with ${run.exitCode} instead of 0`);
  if (run.ledger.code !== 0) found.push(`kube-crier ledger check: ${run.ledger.said}`);
  return found;
}

/** A row of the table in bench/README.md. */
export function row(run: Soaked): string {
  const judged = settled(run.samples);
  const of = (what: "rss" | "anon" | "heap" | "wal") => run.samples.map((sample) => sample[what]);
  const end = run.samples.at(-1);
  const { slope, atLeast } = trendOf(judged.map(({ seconds, rss }): Sample => [seconds, rss]));
  const [lost, twice] = (["lost", "twice"] as const).map((what) =>
    run.accounts.reduce((sum, account) => sum + account[what], 0),
  );
  const cells = [
    `${Math.round((end?.seconds ?? 0) / 60)} min`,
    `${run.created}`,
    `${lost}, ${twice}`,
    `${Math.round(judged[0]?.rss ?? 0)}, ${Math.round(end?.rss ?? 0)}, ${Math.round(Math.max(...of("rss")))} MiB`,
    `${perHour(slope)} (at least ${perHour(atLeast)}) MiB/h`,
    `${Math.round(Math.max(...of("anon")))}, ${Math.round(Math.max(...of("heap")))} MiB`,
    `${Math.min(...judged.map(({ fds }) => fds))} to ${Math.max(...judged.map(({ fds }) => fds))}`,
    `${end?.ledger ?? 0} MiB, ${Math.max(...of("wal"))} MiB`,
    `${end?.occurrences ?? 0} + ${end?.deliveries ?? 0}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

export const HEADING = `| time | occurrences | lost, twice | RSS: settled, end, peak | its trend | anonymous, V8's heap: peaks | open files | ledger, its log's peak | rows |
| ---- | ----------- | ----------- | ----------------------- | --------- | --------------------------- | ---------- | ---------------------- | ---- |`;

function perHour(perSecond: number): string {
  const value = perSecond * 3600;
  if (!Number.isFinite(value)) return "unknown";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
