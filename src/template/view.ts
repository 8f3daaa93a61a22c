import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Severity } from "../event/severity.ts";

/**
 * What a template sees. Absence is `null`, never undefined: `strict` can then refuse every typo.
 * Texts ending in `Text` and the composed lines (`title`, `place`, `times`) are in the reader's language and time zone.
 */
export interface View {
  readonly id: string;
  readonly alertKind: Alert["kind"];
  readonly lang: "en" | "zh";
  readonly severity: Severity;
  /** 🔴 🟠 🔵 ⚪ */
  readonly mark: string;
  readonly cluster: string;
  /** Severity mark, reason in words, object; at most 60 characters. */
  readonly title: string;
  /** `prod-a · shop · Pod web-7d4b9c`. */
  readonly place: string;
  /** The place without the object's name: `prod-a · shop · Pod`. */
  readonly scope: string;
  /** `12 × in 5 min 30 s · last 16:05:30`. */
  readonly times: string;
  /** The event's own message, made safe to look at: control, direction and zero-width characters removed or shown, digests shortened, cut to the platform's size. */
  readonly message: string;
  /** The command to run next; empty where there is none. */
  readonly command: string;
  /** The address of what it tells of on the page; empty without `externalUrl`. */
  readonly link: string;
  /** What a link there says: `Open in kube-crier`. */
  readonly linkText: string;
  readonly labels: readonly string[];
  readonly type: string;
  readonly reason: string;
  /** The reason in words: `Back-off restarting container`, `容器反复崩溃`. */
  readonly reasonText: string;
  /** The reason as Kubernetes writes it, for those who search for it; empty where the title has it already. */
  readonly reasonCode: string;
  readonly namespace: string | null;
  readonly kind: string;
  readonly name: string;
  readonly object: KubeEvent["object"];
  readonly component: string | null;
  readonly host: string | null;
  readonly count: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** In the reader's time zone: `16:05:30`, with the date only when it is not today. */
  readonly firstText: string;
  readonly lastText: string;
  /** The occurrence itself, untouched; `null` in a digest or gap. */
  readonly event: KubeEvent | null;
  /** `null` unless alertKind is digest. */
  readonly digest: {
    readonly total: number;
    readonly lines: readonly {
      readonly count: number;
      readonly mark: string;
      readonly reason: string;
      readonly reasonText: string;
      readonly where: string;
    }[];
    /** `and 14 more kinds`; empty where there are none. */
    readonly more: string;
  } | null;
  /** `null` unless alertKind is gap. */
  readonly gap: {
    readonly since: string;
    readonly until: string;
    readonly sinceText: string;
    readonly untilText: string;
    readonly causeText: string;
    /** `37 recovered by a relist, older ones unknown.`; empty where nothing was listed. */
    readonly recoveredText: string;
  } | null;
}
