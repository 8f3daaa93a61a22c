import {
  alertData,
  binaryMode,
  clip,
  cloudEvent,
  defineHttpSink,
  type HttpRequest,
  type KubeEvent,
  type Message,
  type OptionsOf,
  s,
  statusVerdict,
  type StrictEvent,
  structuredMode,
} from "../src/sink/index.ts";
import {
  contentTypeOf,
  formatOf,
  headerProblems,
  JSON_TYPE,
  ownContentType,
  revealed,
  signature,
  typeOf,
} from "./webhook/headers.ts";

const DOCS = "https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md";
const RETRY_AFTER = "https://www.rfc-editor.org/rfc/rfc9110#field.retry-after";
/** CloudEvents asks for it: no intermediary may refuse an event of this size. */
const CLOUD_EVENT_BYTES = 64 * 1024;
/** What a reverse proxy takes by default. */
const BODY_BYTES = 1_000_000;

const options = s
  .object({
    url: s.secretUrl(
      {
        description:
          "Where to send it; http is allowed to any host. Query parameters that are no options stay in it.",
        example: "https://hooks.example.com/k8s",
      },
      true,
    ),
    method: s.text({ description: "The HTTP method, whichever it is." }).default("POST"),
    headers: s
      .map({
        description: "Headers to add; in a URI `header=Name=Value`, repeated.",
        example: { Authorization: "Bearer …" },
        aliases: ["header"],
      })
      .prefault({}),
    contentType: s
      .text({
        description:
          "The Content-Type of a body of your own. Without it `application/json` for a body that begins as JSON does, which is checked before it is sent, else `text/plain`.",
        example: "application/xml",
      })
      .optional(),
    bodyFile: s
      .text({
        description: "A template to render as the body instead of the default JSON.",
        example: "/etc/kube-crier/body.hbs",
      })
      .optional(),
    customBodyConfigmap: s
      .text({
        description: "A ConfigMap whose key `content` is the template of the body.",
        example: "custom-body",
      })
      .optional(),
    customBodyConfigmapNamespace: s
      .text({ description: "The namespace of that ConfigMap." })
      .default("default"),
    engine: s
      .oneOf(["handlebars", "go"], {
        description:
          "What the body is written in. `go` is text/template over a core/v1 Event, as bodies for kube-eventer are. Without it a body without mistakes as Handlebars is that, and any other `go`.",
      })
      .optional(),
    cloudevents: s
      .oneOf(["structured", "binary"], {
        description: "Send a CloudEvent 1.0 in this content mode.",
      })
      .optional(),
    cloudeventsSource: s
      .text({
        description: "The CloudEvent's `source`; by default `/clusters/NAME/namespaces/NAMESPACE`.",
        example: "https://prod-a.example.com",
      })
      .optional(),
    signingSecret: s
      .secret({
        description:
          "Signs each request: X-Kube-Crier-Signature is `sha256=` and the hex HMAC-SHA256 of the X-Kube-Crier-Timestamp header, a dot and the body.",
        aliases: ["hmacSecret"],
      })
      .optional(),
  })
  .superRefine((options, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    if (!/^[a-z]+$/i.test(options.method)) {
      problem("method", "is no HTTP method; expected letters, as in POST, PUT or PATCH");
    }
    for (const message of headerProblems(options.headers)) problem("headers", message);
    if (options.bodyFile !== undefined && options.customBodyConfigmap !== undefined) {
      problem("bodyFile", "and customBodyConfigmap are both given; expected one body");
    }
    if (options.engine !== undefined && !hasOwnBody(options)) {
      problem("engine", "is for a body of your own; give bodyFile or customBodyConfigmap, too");
    }
  });

export default defineHttpSink({
  type: "webhook",
  title: "Webhook",
  summary:
    "Any HTTP receiver: JSON, a body of your own, or CloudEvents; with headers and an HMAC signature.",
  docs: DOCS,
  facts: {
    kind: "HTTP",
    auth: "headers of your own; HMAC-SHA256 signature (`signingSecret`)",
    idempotency: "header `Idempotency-Key`; a CloudEvent's `id`",
    batch: "one event a request",
    testedAgainst: "a real HTTP server",
  },
  options,
  defaultLevel: "Normal",
  uri: { target: "url", keep: "*" },
  example: {
    uri: "webhook:https://hooks.example.com/k8s?team=0123456789abcdef&header=Authorization=Bearer%20fedcba9876543210&signing_secret=0a1b2c3d4e5f6071",
    yaml: {
      url: "https://hooks.example.com/k8s?team=0123456789abcdef",
      headers: { Authorization: "Bearer fedcba9876543210" },
      signingSecret: "0a1b2c3d4e5f6071",
    },
  },
  blocks: (options) => {
    if (!hasOwnBody(options)) return { title: "text", text: "text" };
    return { body: formatOf(options) ?? "json" };
  },
  bodyTemplate: ({
    bodyFile,
    customBodyConfigmap,
    customBodyConfigmapNamespace,
    engine = null,
    contentType,
    headers,
  }) => {
    const format = formatOf({ contentType, headers });
    if (bodyFile !== undefined) return { file: bodyFile, engine, format };
    if (customBodyConfigmap === undefined) return null;
    return {
      configMap: customBodyConfigmap,
      namespace: customBodyConfigmapNamespace,
      key: "content",
      engine,
      format,
    };
  },
  limits: ({ cloudevents }) => ({
    rates: [],
    concurrency: 8,
    body: { max: cloudevents === undefined ? BODY_BYTES : CLOUD_EVENT_BYTES, unit: "bytes" },
    blocks: {
      title: { max: 300, unit: "bytes" },
      text: { max: 8000, unit: "bytes" },
      body: { max: cloudevents === undefined ? BODY_BYTES : CLOUD_EVENT_BYTES / 4, unit: "bytes" },
    },
    throttledMs: 5000,
  }),
  strict: {
    about:
      "kube-eventer's own JSON as the body (`EventType`, `EventKind`, `EventReason`, `EventTime`, `EventMessage`), byte for byte, or your own; by GET without a `method`; without a Content-Type but your own header's. Mended: the sink's options do not leak into the URL, a quotation mark stays in the message, and the message is escaped as JSON wants it. The `Idempotency-Key` header is there all the same.",
    defaults: { method: "GET" },
    blocks: (given) =>
      hasOwnBody(given) || given.cloudevents !== undefined
        ? {}
        : { body: { medium: "json", write: kubeEventerJson } },
    request: strictRequest,
  },
  request,
  accept: statusVerdict,
  refusesWith200: false,
  samples: [
    { name: "accepted", status: 200, body: "", expect: "accepted", source: RETRY_AFTER },
    {
      name: "accepted for later",
      status: 202,
      body: { queued: true },
      expect: "accepted",
      source: RETRY_AFTER,
    },
    { name: "no content", status: 204, body: undefined, expect: "accepted", source: RETRY_AFTER },
    {
      name: "slow down",
      status: 429,
      headers: { "retry-after": "3" },
      body: "",
      expect: "throttled",
      source: RETRY_AFTER,
    },
    {
      name: "down for maintenance",
      status: 503,
      headers: { "retry-after": "3" },
      body: "",
      expect: "throttled",
      source: RETRY_AFTER,
    },
    { name: "bad gateway", status: 502, body: "<html>", expect: "retryable", source: RETRY_AFTER },
    { name: "gone", status: 410, body: "", expect: "permanent", source: RETRY_AFTER },
  ],
});

type Options = OptionsOf<typeof options>;

function request(given: Options, message: Message, now: number): HttpRequest {
  const contentType = contentTypeOf(given);
  const own = hasOwnBody(given) ? (message.blocks["body"] ?? "") : null;
  const max = given.cloudevents === undefined ? BODY_BYTES : CLOUD_EVENT_BYTES;
  const build = (told: Message): Pick<HttpRequest, "headers" | "body"> => {
    const data = own ?? JSON.stringify(alertData(told));
    const type = own === null ? JSON_TYPE : (contentType ?? typeOf(own));
    if (given.cloudevents === undefined) {
      return { headers: { "content-type": type }, body: data };
    }
    const attributes = cloudEvent(told, given.cloudeventsSource, type);
    return given.cloudevents === "binary"
      ? binaryMode(attributes, data)
      : structuredMode(attributes, data);
  };
  const whole = build(message);
  const fits = Buffer.byteLength(whole.body) <= max;
  const { headers, body } = fits ? whole : build(shortened(message, Math.floor(max / 8)));
  return sent(given, message, now, { headers, body });
}

/** kube-eventer's body is the block's text as it stands, and has no type unless a header gives one. It knows no CloudEvents. */
function strictRequest(given: Options, message: Message, now: number): HttpRequest {
  if (given.cloudevents !== undefined) return request(given, message, now);
  const body = message.blocks["body"] ?? "";
  const type = ownContentType(given.headers);
  const headers: HttpRequest["headers"] = type === undefined ? {} : { "content-type": type };
  return sent(given, message, now, { headers, body });
}

function sent(
  given: Options,
  message: Message,
  now: number,
  { headers, body }: Pick<HttpRequest, "headers" | "body">,
): HttpRequest {
  return {
    method: given.method.toUpperCase(),
    url: given.url.reveal(),
    headers: {
      ...headers,
      "idempotency-key": message.id,
      ...revealed(given.headers),
      ...signature(given.signingSecret?.reveal(), now, body),
    },
    body,
  };
}

/** The layout of kube-eventer's default body, white space included. */
function kubeEventerJson({ type, kind, reason, time, message }: StrictEvent): string {
  const fields = {
    EventType: type,
    EventKind: kind,
    EventReason: reason,
    EventTime: time,
    EventMessage: message,
  };
  const lines = Object.entries(fields).map(([name, text]) => `\t"${name}": "${text}"`);
  return `\n{\n${lines.join(",\n")}\n}`;
}

interface BodyOptions {
  readonly bodyFile?: string | undefined;
  readonly customBodyConfigmap?: string | undefined;
}

function hasOwnBody(options: BodyOptions): boolean {
  return options.bodyFile !== undefined || options.customBodyConfigmap !== undefined;
}

/** The event with its message cut; its other fields are bounded by the API server. */
function shortened(message: Message, max: number): Message {
  if (message.event === null || message.alert.kind !== "event") return message;
  const event: KubeEvent = { ...message.event, message: clip(message.event.message, max) };
  return { ...message, event, alert: { kind: "event", event } };
}
