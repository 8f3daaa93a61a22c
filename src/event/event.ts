/** The object an Event is about (core/v1 `involvedObject`, events.k8s.io/v1 `regarding`). */
export interface ObjectRef {
  readonly kind: string;
  readonly apiVersion: string | null;
  /** `null` for cluster-scoped objects, whatever namespace the Event itself is stored in. */
  readonly namespace: string | null;
  readonly name: string;
  readonly uid: string | null;
  /** For a container `spec.containers{web}`. */
  readonly fieldPath: string | null;
}

/**
 * One *occurrence* of a Kubernetes Event in its normal form: plain JSON, frozen, absence is `null`.
 * What is stored equals what is rendered.
 */
export interface KubeEvent {
  /** `${uid}@${count}`: the unit of de-duplication. A MODIFIED that only bumps the count is a new occurrence. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The Event's own name (`web-7d4b9c.17a1f2`), not the object's. */
  readonly eventName: string;
  /** The namespace the Event is stored in: `default` for cluster-scoped objects. */
  readonly eventNamespace: string;
  /** The name of the cluster as configured; empty when none was given. */
  readonly cluster: string;
  /** `Normal`, `Warning` or whatever else the cluster says. */
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly action: string | null;
  readonly object: ObjectRef;
  readonly related: ObjectRef | null;
  readonly reporter: {
    readonly component: string | null;
    readonly host: string | null;
    readonly instance: string | null;
  };
  /** `series.count ?? count`, at least 1. */
  readonly count: number;
  /** ISO-8601 UTC, to the microsecond where the API gives it. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** For bodies over a core/v1 Event, which may name it. Absent where there is nothing: each occurrence is stored. */
  readonly core?: CoreExtras;
}

/** What a core/v1 Event says besides. */
export interface CoreExtras {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `involvedObject.resourceVersion`. */
  readonly objectVersion?: string;
}
