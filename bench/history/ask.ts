import type { Ask, HistoryReader } from "../../src/history/history.ts";
import { parseQuery } from "../../src/history/parse.ts";

export const say = (line: string) => process.stdout.write(`${line}\n`);

/** What people ask, by what is wanted of it. */
const QUESTIONS: readonly (readonly [group: string, query: string])[] = [
  ["first page", ""],
  ["first page", "reason=BackOff"],
  ["first page", "reason=FencingFailed"],
  ["first page", "ns=team-3&type=Warning&since=1d"],
  ["first page", "kind=Node&component=kernel-monitor"],
  ["first page", "name=web-0*"],
  ["first page", "sink=nodes"],
  ["first page", "state=dead&sink=ding-oncall"],
  ["first page", "since=6d&to=5d&type=Warning"],
  ["timeline", ""],
  ["timeline", "type=Warning&by=namespace"],
  ["timeline", "reason=FencingFailed&by=type"],
  ["timeline", "ns=team-3&since=6h"],
  ["timeline", "since=1h&by=reason"],
  ["words", "q=quorum"],
  ["words", 'q="connection refused"'],
  ["words", "q=镜像 超时"],
  ["words", "q=库存&ns=team-2"],
  ["words", "q=nothing-of-this-kind"],
  ["words", "q=failed&reason=FencingFailed"],
  ["words, counted", "q=库存"],
  ["words, counted", 'q="connection refused"'],
];

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

async function ask(
  reader: HistoryReader,
  group: string,
  text: string,
  now: () => number,
): Promise<boolean> {
  const query = parseQuery(new URLSearchParams(text), now());
  const who: Ask = { visible: "all", deadlineMs: 10_000, signal: new AbortController().signal };
  const { refine } =
    group.startsWith("first") || group === "words"
      ? await reader.events(query.filter, 50, null, who)
      : await reader.timeline(query.filter, query.timeline, who);
  return refine === null;
}

/** Every question so many times over: how long whoever asks waits. */
export async function measure(
  title: string,
  reader: HistoryReader,
  rounds: number,
  now = () => Date.now(),
): Promise<void> {
  say(`\n${title}\n${"question".padEnd(58)} p50 ms  p95 ms`);
  const times = new Map<string, number[]>();
  let cut = 0;
  for (let round = 0; round <= rounds; round += 1)
    for (const [group, query] of QUESTIONS) {
      const begun = performance.now();
      if (!(await ask(reader, group, query, now))) cut += 1;
      // The first round warms the disk's cache.
      if (round === 0) continue;
      for (const key of [group, `  ${group}: ${query}`])
        times.set(key, [...(times.get(key) ?? []), performance.now() - begun]);
    }
  for (const key of [...times.keys()].toSorted()) {
    const sorted = (times.get(key) ?? []).toSorted((a, b) => a - b);
    say(
      `${key.padEnd(58)} ${quantile(sorted, 0.5).toFixed(1).padStart(6)}  ${quantile(sorted, 0.95).toFixed(1).padStart(6)}`,
    );
  }
  if (cut > 0) say(`${cut} answers were cut short`);
}
