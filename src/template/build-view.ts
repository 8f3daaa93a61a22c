import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import { severityOf } from "../event/severity.ts";
import type { Lang } from "../config/config.ts";
import { characterLength } from "../sink/text.ts";
import { digestView, gapView } from "./build-summary.ts";
import { clean, cleanLine, cutMiddle, shortLine } from "./clean.ts";
import { describeCommand } from "./command.ts";
import { PHRASES } from "./phrases.ts";
import { knownWords, splitWords } from "./reasons.ts";
import { timeTeller } from "./times.ts";
import { MARKS, TITLE_MAX, type ViewOptions } from "./view-options.ts";
import type { View } from "./view.ts";

/** However long the reason, so much of the name stays. */
const NAME_MIN = 20;
/** The longest name Kubernetes allows is 253 characters; what is longer was never looked at by an API server. */
const WORD_MAX = 256;

function short(text: string): string {
  return shortLine(cleanLine(text), WORD_MAX);
}

/** What a template sees of an alert. Pure: the same alert at the same `now` gives the same view. */
export function buildView(alert: Alert, options: ViewOptions): View {
  switch (alert.kind) {
    case "event":
      return eventView(alert.event, options);
    case "digest":
      return digestView(alert, options);
    case "gap":
      return gapView(alert, options);
  }
}

/** What `limit` counts: the characters of a message, the lines of a digest, nothing of a gap. */
export function partsOf(alert: Alert): number {
  switch (alert.kind) {
    case "event":
      return characterLength(messageOf(alert.event));
    case "digest":
      return alert.lines.length;
    case "gap":
      return 0;
  }
}

/** A long message is fitted by trying: it is cleaned once. */
const messages = new WeakMap<KubeEvent, string>();

function messageOf(event: KubeEvent): string {
  const known = messages.get(event);
  if (known !== undefined) return known;
  const message = clean(event.message);
  messages.set(event, message);
  return message;
}

function eventView(event: KubeEvent, options: ViewOptions): View {
  const { lang } = options;
  const phrases = PHRASES[lang];
  const severity = severityOf(event);
  const mark = MARKS[severity];
  const { object: raw, reporter } = event;
  const object = {
    kind: short(raw.kind),
    apiVersion: raw.apiVersion,
    namespace: raw.namespace === null ? null : short(raw.namespace),
    name: short(raw.name),
  };
  const reason = short(event.reason);
  const known = knownWords(lang, event);
  const reasonText = known ?? (lang === "en" ? splitWords(reason) : reason);
  const title = titleOf(mark, lang, reasonText, known === null ? "" : reason, object.name);

  const teller = timeTeller(lang, options.timezone, options.now);
  const span = Date.parse(event.lastSeen) - Date.parse(event.firstSeen);
  const cluster = cleanLine(event.cluster || options.cluster);
  const message = messageOf(event);
  const scope = [cluster, object.namespace ?? "", object.kind].filter((part) => part !== "");

  return {
    id: options.id,
    alertKind: "event",
    lang,
    severity,
    mark,
    cluster,
    title,
    place: [scope.join(" · "), object.name].filter((part) => part !== "").join(" "),
    scope: scope.join(" · "),
    times: phrases.times(event.count, span, teller.moment(event.lastSeen)),
    message:
      options.limit === undefined ? message : cutMiddle(message, options.limit, phrases.cutNote),
    command: describeCommand(object),
    link: options.link ?? "",
    linkText: phrases.linkText("event"),
    labels: options.labels,
    type: short(event.type),
    reason,
    reasonText,
    reasonCode: title.includes(reason) ? "" : reason,
    namespace: object.namespace,
    kind: object.kind,
    name: object.name,
    object: event.object,
    component: reporter.component === null ? null : short(reporter.component),
    host: reporter.host === null ? null : short(reporter.host),
    count: event.count,
    firstSeen: event.firstSeen,
    lastSeen: event.lastSeen,
    firstText: teller.moment(event.firstSeen),
    lastText: teller.moment(event.lastSeen),
    event,
    digest: null,
    gap: null,
  };
}

/** Chinese readers get the reason's own name too: it is what they search for. */
function titleOf(mark: string, lang: Lang, text: string, code: string, name: string): string {
  const withCode = lang === "zh" && code !== "" ? `${text} ${code}` : text;
  const nameLength = Math.min(characterLength(name), NAME_MIN);
  const separator = name === "" || withCode === "" ? "" : " · ";
  const frame = characterLength(mark) + 1 + separator.length;
  const what = shortLine(withCode, TITLE_MAX - frame - nameLength);
  const room = TITLE_MAX - frame - characterLength(what);
  return `${mark} ${what}${separator}${shortLine(name, room)}`.trimEnd();
}
