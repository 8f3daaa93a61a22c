import type { Alert, DigestLine } from "../event/alert.ts";
import { characterLength } from "../sink/text.ts";
import { cleanLine, shortLine } from "./clean.ts";
import { eventsCommand } from "./command.ts";
import { numberText, PHRASES } from "./phrases.ts";
import { splitWords, knownWords } from "./reasons.ts";
import { timeTeller } from "./times.ts";
import { MARKS, TITLE_MAX, type ViewOptions } from "./view-options.ts";
import type { View } from "./view.ts";

/** A digest has ten lines on one phone screen: names that would need two are shortened. */
const NAME_MAX = 40;

/** What is empty in every summary: it is about no object. */
const NO_OBJECT = {
  type: "",
  reason: "",
  reasonCode: "",
  namespace: null,
  kind: "",
  name: "",
  object: { kind: "", apiVersion: null, namespace: null, name: "", uid: null, fieldPath: null },
  component: null,
  host: null,
  event: null,
} as const;

export function digestView(alert: Extract<Alert, { kind: "digest" }>, options: ViewOptions): View {
  const phrases = PHRASES[options.lang];
  const teller = timeTeller(options.lang, options.timezone, options.now);
  const cluster = cleanLine(alert.cluster || options.cluster);
  const kept = alert.lines.slice(0, options.limit ?? alert.lines.length);
  const lines = kept.map((line) => lineView(line, options));
  const more = phrases.moreKinds(alert.moreKinds + alert.lines.length - kept.length);
  const namespaces = new Set(alert.lines.map((line) => line.namespace));
  const [only = null] = namespaces.size === 1 ? namespaces : [];
  return {
    ...NO_OBJECT,
    id: options.id,
    alertKind: "digest",
    lang: options.lang,
    severity: "notice",
    mark: MARKS.notice,
    cluster,
    title: digestTitle(alert, options),
    place: cluster,
    scope: cluster,
    times: phrases.times(
      alert.total,
      Date.parse(alert.to) - Date.parse(alert.from),
      teller.moment(alert.to),
    ),
    message: [
      ...(alert.tooOld === true ? [phrases.oldNote] : []),
      ...lines.map(
        (line) => `${line.mark} ${numberText(line.count)} × ${line.reason} · ${line.where}`,
      ),
      ...(more === "" ? [] : [more]),
    ].join("\n"),
    command: eventsCommand(alert.moreKinds === 0 ? wordOf(only) : null),
    link: options.link ?? "",
    linkText: phrases.linkText("digest"),
    labels: options.labels,
    reasonText:
      alert.tooOld === true ? phrases.oldWords(alert.total) : phrases.digestWords(alert.total),
    count: alert.total,
    firstSeen: alert.from,
    lastSeen: alert.to,
    firstText: teller.moment(alert.from),
    lastText: teller.moment(alert.to),
    digest: { total: alert.total, lines, more },
    gap: null,
  };
}

/** What can be no namespace's name may be anything. */
function wordOf(namespace: string | null): string | null {
  if (namespace === null || /^[a-z0-9-]{1,63}$/.test(namespace)) return namespace;
  return shortLine(cleanLine(namespace), NAME_MAX);
}

function lineView(line: DigestLine, options: ViewOptions) {
  const reason = shortLine(cleanLine(line.reason), NAME_MAX);
  const subject = { reason: line.reason, message: "", object: { kind: line.kind } };
  const workload = shortLine(cleanLine(line.workload), NAME_MAX);
  const namespace = line.namespace === null ? "" : `${cleanLine(line.namespace)}/`;
  return {
    count: line.count,
    mark: MARKS[line.severity],
    reason,
    reasonText:
      knownWords(options.lang, subject) ?? (options.lang === "en" ? splitWords(reason) : reason),
    where: PHRASES[options.lang].objects(
      shortLine(`${namespace}${workload}`, NAME_MAX + 20),
      line.objects,
      shortLine(cleanLine(line.kind), NAME_MAX),
    ),
  };
}

/** `⚪ 37 more: 21 × BackOff in shop, …`: as many kinds as there is room for. */
function digestTitle(alert: Extract<Alert, { kind: "digest" }>, options: ViewOptions): string {
  const phrases = PHRASES[options.lang];
  const separator = options.lang === "zh" ? "，" : ", ";
  const items = alert.lines.map((line) =>
    phrases.digestItem(
      line.count,
      shortLine(cleanLine(line.reason), 24),
      line.namespace === null ? null : shortLine(cleanLine(line.namespace), 16),
    ),
  );
  const isOld = alert.tooOld === true;
  const titleWith = (count: number) => {
    const more = count < items.length || alert.moreKinds > 0;
    const kinds = items.slice(0, count).join(separator);
    const title = isOld
      ? phrases.oldTitle(alert.total, kinds, more)
      : phrases.digestTitle(alert.total, kinds, more);
    return `${MARKS.notice} ${title}`;
  };
  for (let count = items.length; count > 0; count -= 1) {
    const title = titleWith(count);
    if (characterLength(title) <= TITLE_MAX) return title;
  }
  return `${MARKS.notice} ${isOld ? phrases.oldWords(alert.total) : phrases.digestWords(alert.total)}`;
}

export function gapView(alert: Extract<Alert, { kind: "gap" }>, options: ViewOptions): View {
  const phrases = PHRASES[options.lang];
  const teller = timeTeller(options.lang, options.timezone, options.now);
  const cluster = cleanLine(alert.cluster || options.cluster);
  const { recovered, tooOld = 0 } = alert;
  const recoveredText = recovered === undefined ? "" : phrases.gapRecovered(recovered, tooOld);
  const blind = phrases.gapTitle(teller.range(alert.since, alert.until));
  const room = TITLE_MAX - characterLength(`${MARKS.notice} ${blind} · `);
  return {
    ...NO_OBJECT,
    id: options.id,
    alertKind: "gap",
    lang: options.lang,
    severity: "notice",
    mark: MARKS.notice,
    cluster,
    title: `${MARKS.notice} ${blind}${cluster === "" ? "" : ` · ${shortLine(cluster, room)}`}`,
    place: cluster,
    scope: cluster,
    times: phrases.gapTimes(
      Date.parse(alert.until) - Date.parse(alert.since),
      teller.moment(alert.until),
    ),
    message: [phrases.gapCause(alert.cause), recoveredText]
      .filter((part) => part !== "")
      .join("\n"),
    command: eventsCommand(null),
    link: options.link ?? "",
    linkText: phrases.linkText("gap"),
    labels: options.labels,
    reasonText: phrases.gapWords,
    count: 1,
    firstSeen: alert.since,
    lastSeen: alert.until,
    firstText: teller.moment(alert.since),
    lastText: teller.moment(alert.until),
    digest: null,
    gap: {
      since: alert.since,
      until: alert.until,
      sinceText: teller.moment(alert.since),
      untilText: teller.moment(alert.until),
      causeText: phrases.gapCause(alert.cause),
      recoveredText,
    },
  };
}
