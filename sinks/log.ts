import {
  defineSink,
  jsonLine,
  type KubeEvent,
  type Message,
  occurrenceOf,
  s,
  TOLD_ALREADY,
} from "../src/sink/index.ts";
import { writeLine } from "./stdout/line.ts";

/**
 * kube-eventer's sink of this name, and none of its text: a dump of Go structures over several lines, which nothing can read. Not another name
 * of stdout either, whose line is written for a person, in their language and with a command to copy: here a line is the event's own words as
 * `name=value`, to be searched and to be parsed by what collects the logs.
 */
export default defineSink({
  type: "log",
  title: "Log",
  summary:
    "One line for each event on standard output, as logfmt (`time=… level=warn reason=BackOff …`), for what collects the logs.",
  docs: "https://brandur.org/logfmt",
  facts: {
    kind: "output",
    auth: "—",
    idempotency: "a line may be written again after a crash; `uid` and `count` tell",
    batch: "one line an event",
    testedAgainst: "the program's own output",
  },
  options: s.object({}),
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: null, keep: [] },
  example: { uri: "log:", yaml: {} },
  // A record is in the event's own words.
  blocks: () => ({}),
  limits: () => ({ rates: [], concurrency: 1, body: null, blocks: {}, throttledMs: 1000 }),
  create: (_, { stdout }) => ({
    deliver(message, signal) {
      const event = occurrenceOf(message);
      if (event === null) return Promise.resolve(TOLD_ALREADY);
      return writeLine(stdout, line(event, message.severity), signal);
    },
    close: () => Promise.resolve(),
  }),
});

function line(event: KubeEvent, severity: Message["severity"]): string {
  const { object, reporter } = event;
  const fields: Readonly<Record<string, string | number | null>> = {
    time: event.lastSeen,
    level: severity === "critical" ? "error" : event.type === "Normal" ? "info" : "warn",
    type: event.type,
    reason: event.reason,
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    count: event.count,
    msg: event.message,
    first: event.firstSeen,
    action: event.action,
    component: reporter.component,
    host: reporter.host,
    cluster: event.cluster,
    field_path: object.fieldPath,
    object_uid: object.uid,
    uid: event.uid,
    resource_version: event.resourceVersion,
  };
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}=${written(String(value))}`)
    .join(" ");
}

/** As it is where that is one plain word, else quoted as JSON is: no message can end the line or add a field of its own. */
function written(value: string): string {
  return /^[!#-<>-[\]-~]+$/.test(value) ? value : jsonLine(value);
}
