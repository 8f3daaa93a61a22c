import { createHmac } from "node:crypto";
import { onTestFinished } from "vitest";
import {
  startSimulator,
  type ReceivedMessage,
  type RunningSimulator,
  type StartOptions,
} from "../../../src/simulate/index.ts";
import { FakeClock } from "../../support/clock.ts";

export interface Played {
  readonly sim: RunningSimulator;
  readonly clock: FakeClock;
}

/** A simulator on a free port, in time that stands still; closed with the test. */
export async function play(options: StartOptions = {}): Promise<Played> {
  const clock = new FakeClock();
  const sim = await startSimulator({ clock, timeZone: "UTC", ...options });
  onTestFinished(() => sim.close());
  return { sim, clock };
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** Posts a body, JSON unless it is text already. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return read(answer);
}

export async function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return read(await fetch(url, { headers }));
}

async function read(answer: Response): Promise<Answered> {
  const text = await answer.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

/** The newest message; fails where there is none. */
export function last(sim: RunningSimulator): ReceivedMessage {
  const message = sim.messages().at(-1);
  if (message === undefined) throw new Error("nothing was received");
  return message;
}

/** As DingTalk's documentation tells a client to do it: milliseconds, in the query. */
export function dingSigned(url: string, secret: string, at: number): string {
  const sign = createHmac("sha256", secret).update(`${at}\n${secret}`).digest("base64");
  return `${url}&timestamp=${at}&sign=${encodeURIComponent(sign)}`;
}

/** As Lark's documentation tells a client to do it: seconds, in the body, the secret in the key. */
export function larkSigned(body: object, secret: string, at: number): object {
  const timestamp = String(Math.floor(at / 1000));
  const sign = createHmac("sha256", `${timestamp}\n${secret}`).digest("base64");
  return { timestamp, sign, ...body };
}
