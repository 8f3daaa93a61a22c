/** The SDK: the only thing a sink may import besides node built-ins and its own driver. */
export {
  bodyVerdict,
  codeOf,
  type CodeTable,
  errcodeOf,
  fieldsOf,
  type Meaning,
  type Said,
  said,
} from "./answer.ts";
export { Batches } from "./batch.ts";
export { binaryMode, cloudEvent, structuredMode } from "./cloudevents.ts";
export {
  coreEvent,
  coreMetadata,
  coreObject,
  coreSource,
  recorded,
  toSeconds,
} from "./core-event.ts";
export * from "./define.ts";
export { Gatherer } from "./gather.ts";
export { headerValueProblem } from "./header.ts";
export { alertData, clip, jsonLine } from "./json.ts";
export type { Clock } from "../clock.ts";
export { GAP_CAUSES, type Alert } from "../event/alert.ts";
export type { KubeEvent } from "../event/event.ts";
export { occurrenceOf, TOLD_ALREADY, versionOf } from "./occurrence.ts";
export { verdictOn } from "./open.ts";
export { roomProblem } from "./room.ts";
export { s, type OptionsOf } from "./schema.ts";
export { Secret } from "./secret.ts";
export { unlessAborted } from "./shared.ts";
export { type AccessKey, type Headers, signV4 } from "./sigv4.ts";
export { retryAfterMs, statusVerdict } from "./status.ts";
export { goJson, strictText } from "./strict.ts";
export { cut, measure } from "./text.ts";
export { transportVerdict } from "./transport.ts";
export { accepted, permanent, retryable, throttled, type Verdict } from "./verdict.ts";
