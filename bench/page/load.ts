import http from "node:http";
import { setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** A process of its own that reads and follows, until it is told to stop; then it says what it got. */
interface Orders {
  readonly url: string;
  readonly readers: number;
  readonly tails: number;
  readonly thinkMs: number;
}

export interface Got {
  readonly answers: number;
  readonly perSecond: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly cut: number;
  readonly tailRows: number;
  readonly tailBytes: number;
  readonly tailsLost: number;
  readonly gaps: number;
}

// These would be other machines: they take nothing from the program that is measured.
setPriority(19);
const orders = JSON.parse(process.argv[2] ?? "{}") as Orders;
const { url, readers, tails, thinkMs } = orders;
const agent = new http.Agent({ keepAlive: true, maxSockets: readers });
const going = new AbortController();
const times: number[] = [];
const refused: Record<string, number> = {};
const counts = { cut: 0, rows: 0, bytes: 0, lost: 0, gaps: 0 };

const QUESTIONS = [
  "/api/v1/events?since=1h",
  "/api/v1/events?since=1d&type=Warning&ns=team-N",
  "/api/v1/events?since=7d&q=%E5%BA%93%E5%AD%98",
  "/api/v1/timeline?since=1h&by=reason",
  "/api/v1/timeline?since=7d&by=namespace&type=Warning",
  "/api/v1/events?since=6h&kind=Node",
  "/api/v1/sinks",
  "/?since=1h",
];
/** One in ten follows everything, the others what they care for. */
const FILTERS = [
  "",
  ...Array.from({ length: 3 }, () => "type=Warning"),
  ...Array.from({ length: 4 }, () => "ns=team-N"),
  "reason=BackOff",
  "kind=Node",
];
const numbered = (text: string, n: number) => text.replace("N", String(n % 12));

function once(path: string): Promise<void> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const count = (what: string) => {
      refused[what] = (refused[what] ?? 0) + 1;
      resolve();
    };
    http
      .get(`${url}${path}`, { agent, headers: { accept: "*/*" } }, (response) => {
        let tail = "";
        response.on("data", (chunk: Buffer) => (tail = chunk.subarray(-200).toString("latin1")));
        response.once("error", (error) => count(error.message));
        response.once("end", () => {
          if (response.statusCode !== 200) count(`HTTP ${response.statusCode}`);
          else {
            times.push(performance.now() - begun);
            if (tail.includes('"cause":"deadline"')) counts.cut += 1;
            resolve();
          }
        });
      })
      .once("error", function again(this: http.ClientRequest, error) {
        // The server had closed the kept connection just then; every client asks once more.
        if (this.reusedSocket) resolve(once(path));
        else count(error.message);
      });
  });
}

async function read(reader: number): Promise<void> {
  await pause((reader / readers) * thinkMs);
  for (let n = reader; !going.signal.aborted; n += 1) {
    await once(numbered(QUESTIONS[n % QUESTIONS.length] ?? "", reader));
    await pause(thinkMs);
  }
}

const ROW = Buffer.from("event: event\n");
const DRAWN = Buffer.from("event: row\n");
const GAP = Buffer.from("event: gap\n");

function howOften(chunk: Buffer, what: Buffer): number {
  let found = 0;
  for (let at = chunk.indexOf(what); at >= 0; at = chunk.indexOf(what, at + 1)) found += 1;
  return found;
}

function follow(n: number): void {
  const filter = numbered(FILTERS[n % FILTERS.length] ?? "", Math.floor(n / FILTERS.length));
  const drawn = n % 2 === 0;
  const path = `${drawn ? "/tail" : "/api/v1/tail"}?${filter}`;
  http
    .get(
      `${url}${path}`,
      { agent: false, headers: { accept: "text/event-stream" } },
      (response) => {
        if (response.statusCode !== 200) refused[`tail HTTP ${response.statusCode}`] = 1;
        response.on("data", (chunk: Buffer) => {
          counts.bytes += chunk.length;
          counts.rows += howOften(chunk, drawn ? DRAWN : ROW);
          counts.gaps += howOften(chunk, GAP);
        });
        response.once("close", () => {
          if (!going.signal.aborted) counts.lost += 1;
        });
        response.on("error", () => undefined);
      },
    )
    .once("error", () => {
      if (!going.signal.aborted) counts.lost += 1;
    });
}

for (let n = 0; n < tails; n += 1) follow(n);
for (let n = 0; n < readers; n += 1) void read(n);

const state = { since: performance.now() };
process.on("message", (message) => {
  if (message === "measure") {
    times.length = 0;
    state.since = performance.now();
    return;
  }
  going.abort();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  const got: Got = {
    answers: times.length,
    perSecond: times.length / ((performance.now() - state.since) / 1000),
    refused,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    cut: counts.cut,
    tailRows: counts.rows,
    tailBytes: counts.bytes,
    tailsLost: counts.lost,
    gaps: counts.gaps,
  };
  process.send?.(got, () => process.exit(0));
});
