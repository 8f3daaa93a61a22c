/** The SDK: the only thing a sink may import besides node built-ins and its own driver. */
export * from "./define.ts";
export { s, type OptionsOf } from "./schema.ts";
export { Secret } from "./secret.ts";
export { retryAfterMs, statusVerdict } from "./status.ts";
export { accepted, permanent, retryable, throttled, type Verdict } from "./verdict.ts";
