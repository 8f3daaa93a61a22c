import path from "node:path";
import { BroadcastChannel } from "node:worker_threads";
import { onTestFinished } from "vitest";
import type { Live } from "../../src/app/desk.ts";
import { remember } from "../../src/app/recall.ts";
import { WebThread } from "../../src/app/web-thread.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Origin } from "../../src/config/origin.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { house } from "../unit/observe/support.ts";
import { temporaryDirectory } from "./ledger.ts";
import { NOTHING_RUNS } from "./live.ts";
import type { Unwell } from "./mortal-page.ts";

const SINK = "webhook:http://127.0.0.1:9/?name=ops";
/** The page's thread with a way to make it unwell. */
export const MORTAL = new URL("mortal-page.ts", import.meta.url);

export interface Given {
  readonly flags?: FlagValues;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: URL;
  readonly hangsAfterMs?: number;
  readonly origin?: (origin: Origin) => Origin;
}

/** The page in its thread, beside a thread that delivers: the test's. */
export function pageRig() {
  const logged = house();
  const { clock } = logged;
  const dataDir = temporaryDirectory();

  /** A page that is not served yet. */
  function aPage({ flags = {}, env = {}, origin = (made) => made, ...rest }: Given = {}) {
    const loaded = loadConfig({
      flags: { sink: [SINK], dataDir, webListen: "127.0.0.1:0", timezone: "UTC", ...flags },
      registry,
      env,
    });
    const { observer, recall } = remember(logged.observer, () => clock.now());
    const over = new AbortController();
    const stop = new AbortController();
    const name = path.basename(dataDir);
    const page = new WebThread(loaded.config, {
      origin: origin(loaded.origin()),
      clock,
      observer,
      recall,
      texts: () => null,
      version: name,
      signal: over.signal,
      ...rest,
    });
    onTestFinished(() => over.abort());
    const channel = new BroadcastChannel(name);
    onTestFinished(() => channel.close());
    const tell = channel.postMessage.bind(channel);
    const make = (what: Unwell) => tell(what);
    return { page, observer, recall, stop, over, make };
  }

  async function served(given: Given = {}, live: Live = NOTHING_RUNS) {
    const made = aPage(given);
    const listening = await made.page.open(live, made.stop.signal);
    onTestFinished(() => listening.close());
    return { ...made, listening, url: listening.url };
  }

  const said = (level: string) =>
    logged.lines.filter((line) => line["level"] === level).map((line) => String(line["msg"]));
  /** Of the page alone. */
  const errors = () => said("error").filter((line) => line.startsWith("the page"));
  return { logged, clock, dataDir, aPage, served, said, errors };
}

export const json = async (url: string) =>
  (await (await fetch(url)).json()) as Record<string, unknown>;
export const html = async (url: string) =>
  (await fetch(url, { headers: { accept: "text/html" } })).text();
