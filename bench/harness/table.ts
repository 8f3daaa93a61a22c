/** One scenario's result as the harness writes it: numbers by name, or an error. */
export type Result = Readonly<Record<string, unknown>>;

/** One program's results, by scenario. */
export interface Column {
  readonly name: string;
  readonly scenarios: Readonly<Record<string, Result>>;
}

interface Row {
  readonly measure: string;
  /** What issue 6 asks for; empty: nothing in particular. */
  readonly wanted: string;
  readonly scenario: string;
  readonly cell: (result: Result) => string;
}

const MEMORY = "120 MiB, aim 105";
const LATENCY = "p50 1.3 ×, p99 2 × floor";
const CPU = "2 × floor";

/** `850 ms`, `8.5 s`, `85 s`. */
export function duration(ms: unknown): string {
  if (typeof ms !== "number" || !Number.isFinite(ms)) return "-";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

const inner = (result: Result, name: string): Result => (result[name] ?? {}) as Result;
const text = (value: unknown): string =>
  typeof value === "number" || typeof value === "string" ? String(value) : "-";
const mib = (value: unknown): string => (typeof value === "number" ? `${value} MiB` : "-");
const peak = (result: Result): string => mib(inner(result, "process")["rssPeakMiB"]);
const pair = (latency: Result): string => {
  const { p50, p99 } = latency;
  return typeof p50 !== "number" || typeof p99 !== "number" ? "-" : `${p50} / ${p99} ms`;
};
const latency = (result: Result): string => pair(inner(result, "latencyMs"));
const delivered = ({ delivered: found, created }: Result): string =>
  found === created ? text(found) : `${text(found)} of ${text(created)}`;
const lostTwice = ({ lost, duplicated, created }: Result): string =>
  `${text(lost)}, ${text(duplicated)} of ${text(created)}`;
const lost = ({ lost: count, created }: Result): string => `${text(count)} of ${text(created)}`;
/** Of everything the program did from the first event to the last acceptance. */
const cpuEach = ({ cpuSecondsOfLoad: seconds, delivered: count }: Result): string =>
  typeof seconds === "number" && typeof count === "number" && count > 0
    ? `${((seconds / count) * 1000).toFixed(2)} ms`
    : "-";
const exit = ({ exit: how }: Result): string => {
  if (typeof how !== "object" || how === null) return text(how);
  const { code, signal, ms } = how as Result;
  return `${signal === null ? `code ${text(code)}` : text(signal)} in ${duration(ms)}`;
};

function load(title: string, scenario: string): Row[] {
  return [
    { measure: `${title}: delivered`, wanted: "all", scenario, cell: delivered },
    { measure: "the same: latency p50 / p99", wanted: LATENCY, scenario, cell: latency },
    { measure: "the same: CPU per delivered event", wanted: CPU, scenario, cell: cpuEach },
    { measure: "the same: RSS peak", wanted: MEMORY, scenario, cell: peak },
  ];
}

const ROWS: readonly Row[] = [
  {
    measure: "exec to first watch established",
    wanted: "600 ms",
    scenario: "firstwatch",
    cell: (of) => duration(of["execToFirstWatchMs"]),
  },
  {
    measure: "exec to first arrival",
    wanted: "",
    scenario: "startup",
    cell: (of) => duration(of["execToFirstArrivalMs"]),
  },
  {
    measure: "RSS idle",
    wanted: "95 MiB, aim 80",
    scenario: "startup",
    cell: (of) => mib(of["rssIdleMiB"]),
  },
  {
    measure: "SIGTERM to exit, idle",
    wanted: "1 s",
    scenario: "startup",
    cell: (of) => duration(of["stopIdleMs"]),
  },
  {
    measure: "120,000 events there already: first arrival",
    wanted: "as without",
    scenario: "backlog",
    cell: (of) => duration(of["execToFirstArrivalMs"]),
  },
  {
    measure: "the same: RSS idle, peak",
    wanted: "as without",
    scenario: "backlog",
    cell: (of) => `${mib(of["rssIdleMiB"])}, ${peak(of)}`,
  },
  {
    measure: "120,000 old events: sent at the start",
    wanted: "0",
    scenario: "old120k",
    cell: (of) => text(of["oldSentAtStart"]),
  },
  {
    measure: "the same after a 410: old ones sent",
    wanted: "0",
    scenario: "old120k",
    cell: (of) => text(of["oldSentAfterExpiry"]),
  },
  {
    measure: "the same: 100 young ones missed meanwhile: lost, twice",
    wanted: "0, 0",
    scenario: "old120k",
    cell: lostTwice,
  },
  {
    measure: "the same: 100 missed a minute before, too old to be told singly: singly, digests",
    wanted: "0, 1",
    scenario: "old120k",
    cell: (of) => `${text(of["tooOldSentSingly"])}, ${text(of["otherRequests"])}`,
  },
  { measure: "the same: RSS peak", wanted: MEMORY, scenario: "old120k", cell: peak },
  ...load("60 events at 2/s", "latency"),
  ...load("200/s", "throughput200"),
  ...load("500/s", "latency500"),
  ...load("full speed", "throughputmax"),
  {
    measure: "the same: created, done after the last create",
    wanted: "keeps pace",
    scenario: "throughputmax",
    cell: (of) => {
      const { perSecond, ms } = inner(of, "generator");
      return `${text(perSecond)}/s, ${duration(Number(of["deliverySpanMs"]) - Number(ms))}`;
    },
  },
  {
    measure: "sink away, 100 events/s: owed, lost, twice",
    wanted: "all, 0, 0",
    scenario: "outage10m",
    cell: (of) =>
      `${text(of["created"])} in ${text(of["outageSeconds"])} s, ${text(of["lost"])}, ${text(of["duplicated"])}`,
  },
  {
    measure: "the same: drained at",
    wanted: "",
    scenario: "outage10m",
    cell: (of) => `${text(of["perSecond"])}/s`,
  },
  {
    measure: "the same: RSS peak, state on disk",
    wanted: MEMORY,
    scenario: "outage10m",
    cell: (of) => `${peak(of)}, ${mib(of["stateOwedMiB"])}`,
  },
  {
    measure: "latency to one sink, quiet, p50 / p99",
    wanted: "",
    scenario: "drain",
    cell: (of) => pair(inner(of, "quiet")),
  },
  {
    measure: "the same while many drain to another",
    wanted: "2 × quiet",
    scenario: "drain",
    cell: (of) =>
      `${pair(inner(of, "busy"))} (${text(of["backlog"])} at ${text(of["perSecond"])}/s)`,
  },
  {
    measure: "events of one object updated at full speed: out of order, lost, twice",
    wanted: "0, 0, 0",
    scenario: "order",
    cell: (of) => `${text(of["outOfOrderInObject"])}, ${lostTwice(of)}`,
  },
  {
    measure: "receiver answers 500 for 20 s: lost, twice",
    wanted: "0, 0",
    scenario: "sink500",
    cell: lostTwice,
  },
  {
    measure: "429 with Retry-After for 20 s: lost, twice",
    wanted: "0, 0",
    scenario: "sink429",
    cell: lostTwice,
  },
  { measure: "hangs for 20 s: lost", wanted: "0", scenario: "sinkhang", cell: lost },
  {
    measure: "takes 100 ms for each: at once, RSS with backlog, lost",
    wanted: `${MEMORY}; 0`,
    scenario: "slowsink",
    cell: (of) =>
      `${text(of["maxConcurrentRequests"])}, ${mib(of["rssWithBacklogMiB"])}, ${text(of["lost"])}`,
  },
  { measure: "kill -9 at 20/s: lost, twice", wanted: "0, 1", scenario: "kill9", cell: lostTwice },
  {
    measure: "kill -9 at full speed: lost, twice (under way at once)",
    wanted: "0, what was under way",
    scenario: "kill9max",
    cell: (of) => `${lostTwice(of)} (${text(of["inFlightAtMost"])})`,
  },
  {
    measure: "SIGTERM: exit, delivered by then, lost, twice",
    wanted: "0 lost",
    scenario: "sigterm",
    cell: (of) => `${exit(of)}, ${text(of["deliveredAtExit"])}, ${lostTwice(of)}`,
  },
  {
    measure: "SIGTERM while the receiver hangs: exit, lost",
    wanted: "0 lost",
    scenario: "sigtermhang",
    cell: (of) => `${exit(of)}, ${lost(of)}`,
  },
  {
    measure: "awkward messages: intact, invalid JSON",
    wanted: "all, 0",
    scenario: "badchars",
    cell: (of) => `${text(of["intact"])}, ${text(of["invalidJson"])} of ${text(of["cases"])}`,
  },
  {
    measure: "one event bumped to count 5: deliveries, out of order",
    wanted: "5, 0",
    scenario: "updates",
    cell: (of) =>
      `${
        Object.entries(inner(of, "deliveriesPerEvent"))
          .map(([times, events]) => `${times} (${text(events)} events)`)
          .join(" ") || "none"
      }, ${text(of["outOfOrderInObject"])}`,
  },
  { measure: "events.k8s.io/v1: delivered", wanted: "all", scenario: "newapi", cell: delivered },
  {
    measure: "API server restarted: lost, twice",
    wanted: "0, 0",
    scenario: "apirestart",
    cell: lostTwice,
  },
  {
    measure: "a file, no sink wants them: events/s",
    wanted: "60,000",
    scenario: "filefilter",
    cell: (of) => text(of["perSecond"]),
  },
  {
    measure: "the same: CPU per event, RSS peak",
    wanted: MEMORY,
    scenario: "filefilter",
    cell: (of) => `${text(of["cpuMicroseconds"])} µs, ${peak(of)}`,
  },
  {
    measure: "a file into the ledger: events/s",
    wanted: "20,000",
    scenario: "fileledger",
    cell: (of) => text(of["perSecond"]),
  },
  {
    measure: "the same: CPU per event, RSS peak, ledger",
    wanted: MEMORY,
    scenario: "fileledger",
    cell: (of) => `${text(of["cpuMicroseconds"])} µs, ${peak(of)}, ${mib(of["stateMiB"])}`,
  },
];

/** A table in Markdown: a row for each measure that a program has a result for, a column for each program. */
export function tableOf(columns: readonly Column[]): string {
  const lines = ROWS.flatMap(({ measure, wanted, scenario, cell }) => {
    const cells = columns.map(({ scenarios }) => {
      const result = scenarios[scenario];
      if (result === undefined) return "";
      return typeof result["error"] === "string" ? `error: ${result["error"]}` : cell(result);
    });
    return cells.some((found) => found !== "") ? [[measure, wanted, ...cells]] : [];
  });
  const head = ["measure", "wanted", ...columns.map(({ name }) => name)];
  return [head, head.map(() => "---"), ...lines].map(lineOf).join("\n");
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
