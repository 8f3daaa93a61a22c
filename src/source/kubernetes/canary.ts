import type { ConfigIssue, KubernetesSourceConfig } from "../../config/config.ts";
import { CANARY_COMPONENT, CANARY_REASON } from "../../event/canary.ts";
import type { KubeEvent } from "../../event/event.ts";
import { ApiError, isNoAnswer } from "./errors.ts";
import { classify } from "./failure.ts";
import { API_GROUPS, type ApiGroup, eventsPath } from "./resource.ts";
import { type Permission, review } from "./review.ts";
import type { KubeClient } from "./transport.ts";

/** Where the canary of one source sits. */
export interface CanaryPlace {
  readonly namespace: string;
  /** Of its Event: unique for this process and source, so that no other's is taken for it. */
  readonly name: string;
  /** What it is about: the Pod it runs in, or its namespace. */
  readonly object: { readonly kind: "Pod" | "Namespace"; readonly name: string };
  readonly message: string;
}

/** What came of a write; `waitMs`: what the API server asked for before the next. */
export type Written =
  | { readonly ok: true }
  | { readonly ok: false; readonly detail: string; readonly waitMs: number };

/** The Event that is written again and again to see whether it arrives. */
export interface CanaryWriter {
  /** Whether this is our Event, by its place and name: only who may write there could forge it. */
  recognises(event: KubeEvent): boolean;
  /** Writes it for the `count`-th time, at `at`; the same again, where the answer to it was lost, changes nothing. */
  write(count: number, at: number, signal: AbortSignal): Promise<Written>;
  permissions(signal: AbortSignal): Promise<readonly Permission[]>;
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
}

const VERBS = ["create", "patch"] as const;

/**
 * One Event for the life of the process, made once and then patched: etcd holds one small object for it, whatever the interval, and the
 * cluster's own time to live takes it away an hour after the last patch. A name of its own for each would leave a dozen of them.
 */
export function createCanaryWriter(
  client: KubeClient,
  source: Pick<KubernetesSourceConfig, "api" | "namespaces">,
  place: CanaryPlace,
): CanaryWriter {
  const { namespace, name } = place;
  const groups: readonly ApiGroup[] =
    source.api === "auto" ? ["core", "events.k8s.io"] : [source.api];
  /** Where it was made; it is patched there for as long as it exists. */
  let made: ApiGroup | null = null;

  async function writeTo(group: ApiGroup, count: number, at: number, signal: AbortSignal) {
    const path = eventsPath(group, namespace);
    const patch = () =>
      client.patch(`${path}/${encodeURIComponent(name)}`, patchOf(group, count, at), signal);
    if (made === group) {
      const gone = await patch().then(() => false, unless(404));
      if (!gone) return;
    }
    const exists = await client
      .post(path, eventOf(group, place, count, at), signal)
      .then(() => false, unless(409));
    // The answer to its making was lost.
    if (exists) await patch();
    made = group;
  }

  async function permissions(signal: AbortSignal): Promise<readonly Permission[]> {
    const found: Permission[] = [];
    for (const group of groups)
      for (const verb of VERBS) found.push(await review(client, verb, group, namespace, signal));
    return found;
  }

  return {
    recognises: ({ eventNamespace, eventName }) =>
      eventNamespace === namespace && eventName === name,

    async write(count, at, signal) {
      let last: unknown = null;
      for (const group of made === null ? groups : [made]) {
        try {
          await writeTo(group, count, at, signal);
          return { ok: true };
        } catch (error) {
          last = error;
          if (!(error instanceof ApiError) || error.status !== 403) break;
          // The Role may name another group by now.
          made = null;
        }
      }
      const failure = classify(last);
      if (failure === null && !signal.aborted) throw last;
      const hint =
        last instanceof ApiError && last.status === 403 ? `; ${ruleFor(source, namespace)}` : "";
      return {
        ok: false,
        detail: `${failure?.detail ?? "interrupted"}${hint}`,
        waitMs: failure?.waitMs ?? 0,
      };
    },

    permissions,

    async problems(signal) {
      const where = `--canary (${client.origin})`;
      if (source.namespaces.length > 0 && !source.namespaces.includes(namespace))
        return [
          {
            where,
            message: `its Event is written to namespace ${namespace}, which the source does not watch (${source.namespaces.join(", ")}): it could never arrive`,
            hint: `add ${namespace} to the namespaces of the source`,
          },
        ];
      try {
        const found = await permissions(signal);
        const allowed = groups.some((group) =>
          found.every((one) => one.group !== group || one.allowed),
        );
        if (allowed) return [];
        const missing = found.filter((one) => !one.allowed);
        return [
          {
            where,
            message: `events of namespace ${namespace} may not be written: ${missing.map(refusal).join("; ")}`,
            hint: ruleFor(source, namespace),
          },
        ];
      } catch (error) {
        // Down, busy, or not to be asked about permissions: the first canary shows it.
        if (isNoAnswer(error, signal)) return [];
        throw error;
      }
    },
  };
}

function ruleFor({ api }: Pick<KubernetesSourceConfig, "api">, namespace: string): string {
  const group = API_GROUPS[api === "auto" ? "core" : api].apiGroup;
  return `bind a Role in namespace ${namespace} with {apiGroups: [${JSON.stringify(group)}], resources: ["events"], verbs: ["create", "patch"]}, as deploy/kube-crier-canary.yaml does, or leave --canary out`;
}

function refusal({ verb, group, reason }: Permission): string {
  return `${verb} events (${API_GROUPS[group].label}) is not allowed${reason === "" ? "" : `: ${reason}`}`;
}

/** True for an answer of this status; any other error stays one. */
function unless(status: number): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof ApiError && error.status === status) return true;
    throw error;
  };
}

function eventOf(
  group: ApiGroup,
  { namespace, name, object, message }: CanaryPlace,
  count: number,
  at: number,
): unknown {
  const common = {
    apiVersion: API_GROUPS[group].label.replace("core/", ""),
    kind: "Event",
    metadata: { name, namespace },
    type: "Normal",
    reason: CANARY_REASON,
    action: "Canary",
    reportingInstance: object.name,
  };
  const about = { apiVersion: "v1", ...object, namespace };
  if (group === "core")
    return {
      ...common,
      involvedObject: about,
      message,
      source: { component: CANARY_COMPONENT },
      reportingComponent: CANARY_COMPONENT,
      firstTimestamp: seconds(at),
      ...patchOf(group, count, at),
    };
  return {
    ...common,
    regarding: about,
    note: message,
    reportingController: CANARY_COMPONENT,
    eventTime: micros(at),
    ...patchOf(group, count, at),
  };
}

/** In events.k8s.io nothing but the series may change, and a series begins with the second. */
function patchOf(group: ApiGroup, count: number, at: number): Readonly<Record<string, unknown>> {
  if (group === "core") return { count, lastTimestamp: seconds(at) };
  return count < 2 ? {} : { series: { count, lastObservedTime: micros(at) } };
}

function seconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function micros(at: number): string {
  return new Date(at).toISOString().replace("Z", "000Z");
}
