import type { ConfigIssue } from "../../config/config.ts";
import {
  type LeaseClaim,
  LeaseError,
  type LeaseRecord,
  type LeaseStore,
} from "../../election/lease.ts";
import { ApiError, isNoAnswer } from "./errors.ts";
import { classify } from "./failure.ts";
import { type Access, mayI } from "./review.ts";
import type { KubeClient } from "./transport.ts";

export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
}

/** A Lease of the API server, and whether we may have it. */
export interface KubernetesLease extends LeaseStore {
  readonly place: LeasePlace;
  permissions(signal: AbortSignal): Promise<readonly Access[]>;
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
}

const API = "coordination.k8s.io/v1";

/** Read and replaced whole, on the version that was read: the API server refuses what was changed meanwhile. */
export function createLease(client: KubeClient, place: LeasePlace): KubernetesLease {
  const { namespace, name } = place;
  const collection = `/apis/${API}/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(name)}`;

  /** Answers of these statuses are part of the game. */
  async function asking<T>(
    request: () => Promise<unknown>,
    expected: Readonly<Record<number, T>>,
  ): Promise<LeaseRecord | T> {
    try {
      return recordOf(await request());
    } catch (error) {
      const answer = expected[error instanceof ApiError ? error.status : 0];
      if (answer !== undefined) return answer;
      throw leaseError(error, place);
    }
  }

  async function permissions(signal: AbortSignal): Promise<readonly Access[]> {
    const leases = { group: "coordination.k8s.io", resource: "leases", namespace };
    return [
      await mayI(client, { ...leases, verb: "get", name }, signal),
      // What does not exist yet has no name to be allowed by.
      await mayI(client, { ...leases, verb: "create" }, signal),
      await mayI(client, { ...leases, verb: "update", name }, signal),
    ];
  }

  return {
    place,
    read: (signal) => asking(() => client.get(path, {}, signal), { 404: null }),
    create: (claim, signal) =>
      asking(() => client.post(collection, objectOf(place, null, claim), signal), { 409: null }),
    replace: (before, claim, signal) =>
      asking(() => client.put(path, objectOf(place, before, claim), signal), {
        404: "gone" as const,
        409: "changed" as const,
      }),

    permissions,

    async problems(signal) {
      try {
        const missing = (await permissions(signal)).filter(({ allowed }) => !allowed);
        if (missing.length === 0) return [];
        const refusals = missing.map(
          ({ verb, reason }) =>
            `${verb} leases is not allowed${reason === "" ? "" : `: ${reason}`}`,
        );
        return [
          {
            where: `--leader-elect (${client.origin})`,
            message: `the Lease ${namespace}/${name} may not be held: ${refusals.join("; ")}`,
            hint: ruleFor(place),
          },
        ];
      } catch (error) {
        // Down, busy, or not to be asked about permissions: the first look at the Lease shows it.
        if (isNoAnswer(error, signal)) return [];
        throw error;
      }
    },
  };
}

function ruleFor({ namespace, name }: LeasePlace): string {
  return `bind a Role in namespace ${namespace} with {apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: [${JSON.stringify(name)}], verbs: ["get", "update"]} and {apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"]}, as deploy/ha/lease.yaml does, or leave --leader-elect out`;
}

/** A mistake of ours stays what it is. */
function leaseError(error: unknown, place: LeasePlace): unknown {
  const failure = classify(error);
  if (failure === null) return error;
  if (error instanceof ApiError && error.status === 403)
    return new LeaseError("forbidden", `${failure.detail}; ${ruleFor(place)}`);
  const { cause, detail } = failure;
  return new LeaseError(cause === "network" || cause === "throttled" ? cause : "server", detail);
}

/** Total: what somebody else wrote there is taken for what it can be. */
function recordOf(answer: unknown): LeaseRecord {
  const object = fields(answer);
  const spec = fields(object["spec"]);
  const text = (key: string) => (typeof spec[key] === "string" ? spec[key] : "");
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = spec;
  return {
    holder: text("holderIdentity"),
    durationMs: typeof seconds === "number" && seconds > 0 ? seconds * 1000 : null,
    acquired: text("acquireTime"),
    renewed: text("renewTime"),
    transitions: typeof transitions === "number" && transitions > 0 ? transitions : 0,
    object,
  };
}

function objectOf(place: LeasePlace, before: LeaseRecord | null, claim: LeaseClaim): unknown {
  const { holder, durationMs, acquired, renewed, transitions } = claim;
  return {
    apiVersion: API,
    kind: "Lease",
    metadata: place,
    ...before?.object,
    spec: {
      ...fields(before?.object["spec"]),
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      ...(acquired === "" ? {} : { acquireTime: acquired }),
      renewTime: renewed,
      leaseTransitions: transitions,
    },
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
