import { getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { loadAgain } from "../config/origin.ts";
import type { Listening } from "../web/listen.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { Calls } from "./calls.ts";
import { createClients } from "./clients.ts";
import { createWebSite } from "./web.ts";
import { mirrorOf } from "./web-mirror.ts";
import type { Beginning, DeliveringSide, PageSide } from "./web-wire.ts";

/** What runs in the page's thread: the page, its API, who is let in, who follows; the history's thread is its own. */
// Where the processor does not do for everything, what is to be delivered comes first. On Linux it is this thread's priority, elsewhere the process's.
if (process.platform === "linux") setPriority(Math.min(19, getPriority() + 5));
const parent = parentPort;
if (parent === null) throw new Error("this module is the page's thread");
const { origin, version, port, arrivals } = workerData as Beginning;
const clock = systemClock;
const { config, options } = loadAgain(origin, registry);
const { listen } = config.web;
const again =
  listen === null || port === null
    ? config
    : { ...config, web: { ...config.web, listen: { ...listen, port } } };
const clients = createClients(config.sources, clock);
const stop = new AbortController();
const over = new AbortController();
const state: { listening: Listening | null } = { listening: null };

const pageSide: PageSide = {
  problems: () => site.problems(over.signal),
  async open() {
    const listening = await site.open(live, stop.signal);
    state.listening = listening;
    return { url: listening.url, port: listening.port };
  },
  async close() {
    stop.abort();
    await state.listening?.close();
    over.abort();
    clients.close();
  },
  alive: () => undefined,
};
const calls = new Calls<DeliveringSide>(parent, pageSide);
const { live, ...told } = mirrorOf(calls, arrivals, clock);
const ports = { ...told, clients, clock, version, options };
const made = createWebSite(again, ports, over.signal);
if (made === null) throw new Error("no page is configured");
const site = made;
