/** An entry of `sinks` as it was given: the type, options by their names, `filter`. */
export type SinkEntry = Readonly<Record<string, unknown>>;

/** One thing that differs from kube-eventer, as it really behaves at 0974bca. */
export interface Rule {
  /** The type of sink it is about; `null`: the program. */
  readonly sink: string | null;
  /** The option it is about, by its name in the configuration; `null`: the sink or program as a whole. */
  readonly option: string | null;
  /** What kube-eventer does. */
  readonly was: string;
  /** What happens here. */
  readonly is: string;
  /** `--compat=strict` keeps what kube-eventer does. */
  readonly strict?: true;
  /** Without it: always. */
  readonly when?: (entry: SinkEntry) => boolean;
}

const CHATS = ["dingtalk", "wechat"];
const has = (option: string) => (entry: SinkEntry) => entry[option] !== undefined;
const lacks = (option: string) => (entry: SinkEntry) => entry[option] === undefined;
const filters = (key: string) => (entry: SinkEntry) => {
  const { filter } = entry;
  return typeof filter === "object" && filter !== null && key in filter;
};
const isWebhookOf = (own: boolean) => (entry: SinkEntry) =>
  (entry["customBodyConfigmap"] !== undefined || entry["bodyFile"] !== undefined) === own;

/** Where it can be seen: the whole address may be a variable. */
const isWebhookToRobot = ({ url }: SinkEntry) =>
  typeof url !== "string" ||
  !/^https?:/i.test(url) ||
  /^[^/]*\/\/(oapi\.dingtalk|open\.(feishu|larksuite)|qyapi\.weixin|hooks\.slack)\./i.test(url);

export const PROGRAM: readonly Rule[] = [
  {
    sink: null,
    option: null,
    was: "events are sent every --frequency, 30 s by default",
    is: "each is sent at once; --frequency bounds how often a digest comes",
  },
  {
    sink: null,
    option: null,
    was: "what a receiver refuses, what exceeds 20 events a second, and what happens while it is down or its watch is interrupted is lost",
    is: "everything is written down first, tried again for 24 hours, and the watch goes on where it stopped; what may be missing is said",
  },
  {
    sink: null,
    option: null,
    was: "a sink that cannot be had at the start is left out until somebody restarts the process",
    is: "it is waited for; a mistake in its options stops the start",
  },
  {
    sink: null,
    option: null,
    was: "the command line goes to the log with its tokens and passwords",
    is: "secrets are in no log",
  },
  {
    sink: null,
    option: null,
    was: "the metrics eventer_events_… have a label name, which makes a series for each Pod there ever was",
    is: "they have reason, namespace and kind",
  },
];

const OF_CHATS: readonly Rule[] = CHATS.flatMap((sink): Rule[] => [
  {
    sink,
    option: null,
    was: "a text with the Event's own name (pod.17a1f2)",
    is: "a message that names the object, says what to do next and speaks English or Chinese (lang)",
    strict: true,
  },
  {
    sink,
    option: null,
    was: "an answer with an errcode is taken for a success",
    is: "it is judged: tried again, waited for, or a dead letter with the reason",
  },
  {
    sink,
    option: "filter.level",
    was: "an unknown level lets everything pass",
    is: "it is a mistake",
    when: filters("level"),
  },
  {
    sink,
    option: "filter.namespaces",
    was: "events of Nodes and of other objects without a namespace count as of the namespace default",
    is: "they are of none; add _cluster to the namespaces to have them",
    when: filters("namespaces"),
  },
]);

export const SINKS: readonly Rule[] = [
  ...OF_CHATS,
  {
    sink: "dingtalk",
    option: null,
    was: "up to 20 messages a second, for which DingTalk mutes the robot",
    is: "20 a minute at most; what exceeds them comes as one digest",
  },
  {
    sink: "dingtalk",
    option: "labels",
    was: "the last label comes first",
    is: "labels come in their order",
    strict: true,
    when: has("labels"),
  },
  {
    sink: "dingtalk",
    option: "msgType",
    was: "without msg_type= the message is text",
    is: "it is markdown",
    strict: true,
    when: lacks("msgType"),
  },
  {
    sink: "wechat",
    option: null,
    was: "a new token is asked for before every event",
    is: "the token is kept until it ends or is refused",
  },
  {
    sink: "webhook",
    option: "method",
    was: "without method= the request is a GET",
    is: "it is a POST",
    strict: true,
    when: lacks("method"),
  },
  {
    sink: "webhook",
    option: "filter.level",
    was: "without level= Normal events are sent too, although the documentation says Warning",
    is: "they are sent too; add level=Warning for what the documentation says",
    when: (entry) => !filters("level")(entry),
  },
  {
    sink: "webhook",
    option: "url",
    was: "all options stand in the query of the request, headers and their secrets included",
    is: "the receiver sees its own parameters only",
  },
  {
    sink: "webhook",
    option: null,
    was: "a robot of DingTalk, Lark, WeCom or Slack is sent up to 20 messages a second, and an errcode inside HTTP 200 is taken for a success",
    is: "its platform's rate holds as for the sink of its own, what exceeds it comes as one digest in the same body, and its answers are judged",
    when: isWebhookToRobot,
  },
  {
    sink: "webhook",
    option: null,
    was: "the body has the five fields EventType, EventKind, EventReason, EventTime and EventMessage",
    is: "it has all of the event",
    strict: true,
    when: isWebhookOf(false),
  },
  {
    sink: "webhook",
    option: "customBodyConfigmap",
    was: "quotes are deleted from the message, and a newline or a backslash in it breaks the JSON",
    is: "text inside a JSON string is escaped, and the body is parsed before it is sent",
    when: isWebhookOf(true),
  },
  {
    sink: "webhook",
    option: "customBodyConfigmap",
    was: "a ConfigMap that cannot be read is replaced by another body, and a changed one needs a restart",
    is: "the start stops and says why; a change counts within seconds, and a broken one leaves the last good body in use",
    when: has("customBodyConfigmap"),
  },
  {
    sink: "webhook",
    option: "headers",
    was: "a header whose value has an = in it is left out",
    is: "it is sent",
    when: has("headers"),
  },
  {
    sink: "webhook",
    option: "filter.reasons",
    was: "of several reason= the first counts",
    is: "all count",
    when: filters("reasons"),
  },
  {
    sink: "webhook",
    option: "filter.namespaces",
    was: "events of Nodes and of other objects without a namespace never pass",
    is: "the same; add _cluster to the namespaces to have them",
    when: filters("namespaces"),
  },
  {
    sink: "webhook",
    option: null,
    was: "201, 202 and 204 count as errors, and a receiver that hangs stops the sink for ever",
    is: "every 2xx is a success; an attempt ends after its timeout and is made again",
  },
  {
    sink: "mysql",
    option: null,
    was: "each change of an event's count is a row more, and a message above 255 characters is lost",
    is: "kube-eventer's own table is written as before, its times in UTC whatever TZ says, with a long message cut to its column; a table of kube-crier's own, or one after kube-crier mysql migrate, has one row for each event and holds it whole",
  },
  {
    sink: "mysql",
    option: "dsn",
    was: "with table= everything behind the first & is cut off",
    is: "all parameters count",
    when: has("table"),
  },
  {
    sink: "elasticsearch",
    option: null,
    was: "_id is random, so that nothing may be sent again; a bulk request that fails ends the process",
    is: "_id is made of UID and version: what is sent again is there already",
  },
  {
    sink: "elasticsearch",
    option: "sigv4",
    was: "sigv4, whatever its value, or an AWS access key in the environment signs every request, whatever the host; without a key the pod's or the machine's role is asked",
    is: "sigv4 says whether requests are signed; without it they are where the host is AWS' own, there is an access key and no user; a role is never asked",
    when: (entry) => has("sigv4")(entry) || has("accessKeyId")(entry),
  },
  {
    sink: "kafka",
    option: null,
    was: "records have no key and wait for the leader only; what fails once is lost",
    is: "the key is the object's UID, all replicas acknowledge, and the producer is idempotent",
  },
  {
    sink: "influxdb",
    option: null,
    was: "a batch that fails is lost, and there is an empty write at each tick",
    is: "it is tried again; the same occurrence is the same point",
  },
  {
    sink: "mongo",
    option: null,
    was: "_id is random, so that nothing may be sent again",
    is: "_id is made of UID and version: what is sent again is there already",
  },
  {
    sink: "sls",
    option: "endpoint",
    was: "nobody looks at the address in the URI",
    is: "it is the endpoint, in place of regionId and internal",
    when: has("endpoint"),
  },
  {
    sink: "sls",
    option: "accessKeyId",
    was: "the token that ACK mounts for an addon goes before an access key",
    is: "an access key that is given counts, and the instance is asked for nothing then, not for the region either",
    when: has("accessKeyId"),
  },
  {
    sink: "eventbridge",
    option: "accountId",
    was: "the account is always asked of the metadata service, or OwnerAccountId in the environment",
    is: "it is an option as well, and asked for only where no access key is given",
    when: has("accessKeyId"),
  },
  {
    sink: "eventbridge",
    option: null,
    was: "each event has a random ID, which is another when it is sent again, and what a single event is refused for is not looked at",
    is: "the ID is made of UID and version, and each event's own answer is judged",
  },
  {
    sink: "honeycomb",
    option: null,
    was: "nobody looks at the answer",
    is: "each event's own answer is judged",
  },
  {
    sink: "riemann",
    option: null,
    was: "the host of an event without one is kube-eventer's own Pod, and an error loses the rest of the batch",
    is: "it is the Node, or the cluster's name; what was not acknowledged is sent again",
  },
  {
    sink: "log",
    option: null,
    was: "one line for a batch, in Go's notation for debugging",
    is: "one line for each event, as logfmt",
  },
];
