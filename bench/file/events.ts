/** What a generated file holds: the same seed gives the same bytes. */
export interface FileEvents {
  readonly count: number;
  readonly seed: number;
  /** The first event's time; each later one is 10 ms younger. */
  readonly from: Date;
}

const REASONS = ["BackOff", "Pulled", "FailedScheduling", "Unhealthy", "Created", "FailedMount"];
const KINDS = ["Pod", "Pod", "Pod", "ReplicaSet", "Node", "Job"];
/** Every tenth line is a further occurrence of the event before it. */
const AGAIN = 10;
const LINES_PER_CHUNK = 500;

/**
 * Events as `kubectl get events -o json` has them, one a line, about 800 bytes each, in chunks of lines. Two in three are warnings;
 * 400 namespaces, 5,000 pods.
 */
export function* fileEvents({ count, seed, from }: FileEvents): Generator<string> {
  const random = mulberry32(seed);
  let chunk = "";
  let before: Record<string, unknown> = {};
  for (let n = 0; n < count; n += 1) {
    const at = new Date(from.getTime() + n * 10).toISOString();
    before = n % AGAIN === AGAIN - 1 ? again(before, n, at) : eventOf(n, at, random);
    chunk += `${JSON.stringify(before)}\n`;
    if ((n + 1) % LINES_PER_CHUNK > 0) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function eventOf(n: number, at: string, random: () => number): Record<string, unknown> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const namespace = `team-${Math.floor(random() * 400)}`;
  const pod = Math.floor(random() * 5000);
  const name = `web-${pod}-7d4b9c6f5d-${hex(random, 5)}`;
  const kind = pick(KINDS);
  const reason = pick(REASONS);
  const node = `node-${pod % 60}.example.internal`;
  const seconds = `${at.slice(0, 19)}Z`;
  const uid = uuid(random);
  return {
    apiVersion: "v1",
    count: 1,
    eventTime: null,
    firstTimestamp: seconds,
    involvedObject: {
      apiVersion: kind === "ReplicaSet" ? "apps/v1" : "v1",
      fieldPath: "spec.containers{web}",
      kind,
      name,
      namespace,
      resourceVersion: String(1_000_000 + n),
      uid,
    },
    kind: "Event",
    lastTimestamp: seconds,
    message: `Back-off restarting failed container web in pod ${name}_${namespace}(${uid}): exit code ${n % 140}, "OOM" after ${n % 900} s`,
    metadata: {
      creationTimestamp: seconds,
      name: `${name}.${hex(random, 16)}`,
      namespace,
      resourceVersion: String(2_000_000 + n),
      uid: uuid(random),
    },
    reason,
    reportingComponent: "kubelet",
    reportingInstance: node,
    source: { component: "kubelet", host: node },
    type: random() < 2 / 3 ? "Warning" : "Normal",
  };
}

function again(before: Record<string, unknown>, n: number, at: string): Record<string, unknown> {
  const metadata = before["metadata"] as Record<string, unknown>;
  return {
    ...before,
    count: Number(before["count"]) + 1,
    lastTimestamp: `${at.slice(0, 19)}Z`,
    metadata: { ...metadata, resourceVersion: String(2_000_000 + n) },
  };
}

function uuid(random: () => number): string {
  const digits = hex(random, 32);
  return [0, 8, 12, 16, 20].map((at, i, all) => digits.slice(at, all[i + 1] ?? 32)).join("-");
}

function hex(random: () => number, length: number): string {
  let digits = "";
  while (digits.length < length) digits += Math.floor(random() * 16).toString(16);
  return digits;
}

/** Numbers in [0, 1), always the same for one seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
