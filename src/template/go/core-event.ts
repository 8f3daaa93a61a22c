type Fields = Readonly<Record<string, unknown>>;

const NEW_API = /^events\.k8s\.io\//;

/** An Event as core/v1 has it: the API server shows those of events.k8s.io/v1 to a reader of core/v1 this way. */
export function asCoreEvent(object: unknown): unknown {
  if (typeof object !== "object" || object === null) return object;
  const event = object as Fields;
  const { apiVersion } = event;
  if (typeof apiVersion !== "string" || !NEW_API.test(apiVersion)) return object;
  return {
    ...event,
    apiVersion: "v1",
    involvedObject: event["regarding"],
    message: event["note"],
    source: event["deprecatedSource"],
    firstTimestamp: event["deprecatedFirstTimestamp"],
    lastTimestamp: event["deprecatedLastTimestamp"],
    count: event["deprecatedCount"],
    reportingComponent: event["reportingController"],
  };
}
