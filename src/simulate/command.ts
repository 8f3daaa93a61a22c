import { BODILESS, type Fault } from "./fault.ts";
import { PLATFORMS } from "./message.ts";
import { isObject, type Json } from "./read.ts";
import { unasked } from "./robot-list.ts";

/** What can be changed while it runs, from a test or by `POST /_control`. What is left out stays as it is. */
export interface Command {
  /** `PLATFORM/TOKEN`, created if need be; or `PLATFORM` for all its robots; left out: all robots, those to come too. */
  readonly robot?: string;
  /** `null` ends it. */
  readonly fault?: Fault | null;
  /** How far the platform's clock is ahead of the simulator's; may be negative. */
  readonly clockOffsetSeconds?: number;
  /** For one robot: signatures (or Slack's token) are asked for; `null`: no more. */
  readonly secret?: string | null;
  /** For one robot: one of them must be in the text; none: no check. */
  readonly keywords?: readonly string[];
  /** For one robot: shown on the page. */
  readonly name?: string;
  /** Forgets rates, mutes and idempotency keys. */
  readonly resetLimits?: boolean;
  /** Forgets the messages. */
  readonly clear?: boolean;
}

const KEYS = [
  "robot",
  "fault",
  "clockOffsetSeconds",
  "secret",
  "keywords",
  "name",
  "resetLimits",
  "clear",
] as const;

/** Checks a command from outside; all that is wrong, at once. */
export function parseCommand(value: unknown): Command | { readonly problems: readonly string[] } {
  if (!isObject(value)) return { problems: ["the body is not a JSON object"] };
  const problems = Object.keys(value)
    .filter((key) => !KEYS.some((known) => known === key))
    .map((key) => `unknown key "${key}"; expected ${KEYS.join(", ")}`);
  const expect = (key: (typeof KEYS)[number], what: string, fits: (given: unknown) => boolean) => {
    if (value[key] !== undefined && !fits(value[key]))
      problems.push(`${key} is ${JSON.stringify(value[key])}; expected ${what}`);
  };
  const { robot } = value;
  expect("robot", `PLATFORM/TOKEN or PLATFORM of ${PLATFORMS.join(", ")}`, isTarget);
  expect("clockOffsetSeconds", "a number of seconds, a hundred years at most", isOffset);
  expect("secret", "a text or null", (given) => given === null || isText(given));
  expect("keywords", "a list of texts", (given) => Array.isArray(given) && given.every(isText));
  expect("name", "a text", isText);
  expect("resetLimits", "true or false", (given) => typeof given === "boolean");
  expect("clear", "true or false", (given) => typeof given === "boolean");
  if (value["fault"] !== undefined && value["fault"] !== null)
    problems.push(...faultProblems(value["fault"]));
  for (const key of ["secret", "keywords", "name"] as const)
    if (value[key] !== undefined && !(isText(robot) && robot.includes("/")))
      problems.push(`${key} needs one robot; add "robot": "PLATFORM/TOKEN"`);
  const platform = PLATFORMS.find((one) => isText(robot) && robot.startsWith(`${one}/`));
  const { secret, keywords } = value;
  const given = {
    secret: isText(secret),
    keywords: Array.isArray(keywords) && keywords.length > 0,
  };
  for (const what of ["secret", "keywords"] as const) {
    const problem = platform !== undefined && given[what] ? unasked(platform, what) : null;
    if (problem !== null) problems.push(problem);
  }
  return problems.length > 0 ? { problems } : value;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isOffset(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) <= 100 * 366 * 86_400;
}

function isTarget(value: unknown): boolean {
  return (
    isText(value) &&
    PLATFORMS.some((platform) => value === platform || value.startsWith(`${platform}/`)) &&
    !value.endsWith("/")
  );
}

function faultProblems(value: unknown): string[] {
  if (!isObject(value)) return ["fault is not an object; expected {kind, …} or null"];
  const { kind, status, body, requests, seconds } = value;
  const problems: string[] = [];
  const unknown = Object.keys(value).filter(
    (key) => !["kind", "status", "body", "requests", "seconds"].includes(key),
  );
  for (const key of unknown)
    problems.push(`unknown key "fault.${key}"; expected kind, status, body, requests, seconds`);
  const isKind = isText(kind) && ["status", "hang", "reset", "lost"].includes(kind);
  if (!isKind) problems.push(`fault.kind is ${shown(kind)}; expected status, hang, reset or lost`);
  if (kind === "status" && !isWhole(status, 200, 599))
    problems.push(`fault.status is ${shown(status)}; expected 200 to 599`);
  if (isKind && kind !== "status") problems.push(...onlyStatus(value));
  if (body !== undefined && typeof body !== "string") problems.push("fault.body is not a text");
  else if (body !== undefined && BODILESS.has(Number(status)))
    problems.push(`fault.body cannot be sent with ${Number(status)}, which has none`);
  if (requests !== undefined && !isWhole(requests, 1, 1_000_000))
    problems.push(`fault.requests is ${JSON.stringify(requests)}; expected 1 or more`);
  if (seconds !== undefined && !(typeof seconds === "number" && seconds > 0))
    problems.push(`fault.seconds is ${JSON.stringify(seconds)}; expected more than 0`);
  return problems;
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}

function onlyStatus(fault: Json): string[] {
  return ["status", "body"]
    .filter((key) => fault[key] !== undefined)
    .map((key) => `fault.${key} belongs to the kind status only`);
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}
