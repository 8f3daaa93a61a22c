import { Canary } from "../canary/canary.ts";
import { newsEvent } from "../canary/news.ts";
import { ConfigError, type Config } from "../config/config.ts";
import type { Env } from "../config/secrets.ts";
import type { Sender } from "../delivery/sender.ts";
import { isCanary } from "../event/canary.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Ledger } from "../ledger/open.ts";
import {
  type CanaryPlace,
  type CanaryWriter,
  createCanaryWriter,
} from "../source/kubernetes/canary.ts";
import type { AppPorts } from "./app.ts";
import type { Clients } from "./clients.ts";
import { sourceNames } from "./sources.ts";

/** Where the canary of one source is written, and how. */
export interface CanarySite {
  readonly source: string;
  readonly place: CanaryPlace;
  readonly writer: CanaryWriter;
}

/** One for each cluster that is watched; none without `--canary`. A kubeconfig that cannot be used is told by its source. */
export function createCanarySites(
  config: Config,
  ports: { readonly clients: Clients; readonly env: Env; readonly makeId: () => string },
): readonly CanarySite[] {
  if (config.canary.everyMs === null) return [];
  const names = sourceNames(config.sources);
  const sites: CanarySite[] = [];
  for (const [index, source] of config.sources.entries()) {
    if (source.type !== "kubernetes") continue;
    try {
      const client = ports.clients.get(source);
      // The Pod is one of the cluster it finds by itself, and of no other.
      const isHome = source.kubeconfig === null && source.context === null;
      const env = isHome ? ports.env : {};
      const namespace = env["POD_NAMESPACE"] ?? client.namespace ?? "default";
      const pod = env["POD_NAMESPACE"] === undefined ? undefined : env["POD_NAME"];
      const place: CanaryPlace = {
        namespace,
        name: `kube-crier-canary.${ports.makeId()}`,
        object:
          pod === undefined ? { kind: "Namespace", name: namespace } : { kind: "Pod", name: pod },
        message: `Nothing happened: with this Event kube-crier sees whether alerts arrive (at ${config.canary.sink ?? "its ledger"}, every ${config.canary.everyMs / 1000} s)`,
      };
      const name = names[index] ?? source.type;
      sites.push({ source: name, place, writer: createCanaryWriter(client, source, place) });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }
  return sites;
}

type Ports = Pick<AppPorts, "clock" | "observer" | "makeId" | "canarySites">;

interface Followed {
  readonly canary: Canary;
  readonly synced: PromiseWithResolvers<void>;
}

/** The canaries of all sources, tied to the pumps, the ledger and the lanes. */
export class Canaries {
  readonly #config: Config;
  readonly #ledger: Ledger;
  readonly #ports: Ports;
  readonly #signal: AbortSignal;
  readonly #bySource: ReadonlyMap<string, Followed>;

  /** @param signal ends them */
  constructor(config: Config, ledger: Ledger, ports: Ports, signal: AbortSignal) {
    this.#config = config;
    this.#signal = signal;
    this.#ledger = ledger;
    this.#ports = ports;
    this.#bySource = new Map(
      (ports.canarySites ?? []).map((site) => [
        site.source,
        { canary: this.#canary(site), synced: Promise.withResolvers<void>() },
      ]),
    );
  }

  /** What is wrong now, one line for each source. */
  troubles(): readonly string[] {
    return [...this.#bySource].flatMap(([source, { canary }]) =>
      canary.trouble === null ? [] : [`the canary of ${source} did not arrive: ${canary.trouble}`],
    );
  }

  /** Where a canary is owed to; `null`: it is not ours, or none under way. */
  sinksOf(source: string, event: KubeEvent): readonly string[] | null {
    return this.#bySource.get(source)?.canary.sinksOf(event) ?? null;
  }

  taken(source: string, event: KubeEvent): void {
    if (isCanary(event)) this.#bySource.get(source)?.canary.taken(event);
  }

  synced(source: string): void {
    this.#bySource.get(source)?.synced.resolve();
  }

  /** The sender of a sink, which tells what becomes of canaries if it is the one they are followed to. */
  follow(sink: string, sender: Sender): Sender {
    if (this.#bySource.size === 0 || sink !== this.#config.canary.sink) return sender;
    const all = [...this.#bySource.values()].map(({ canary }) => canary);
    // It was checked before the start.
    return {
      close: () => sender.close(),
      send: async (delivery, signal, now) => {
        const sent = await sender.send(delivery, signal, now);
        const { alert } = delivery;
        if (alert.kind === "event" && isCanary(alert.event))
          for (const canary of all) {
            const { verdict } = sent;
            if (verdict.kind === "accepted") canary.accepted(alert.event);
            else canary.refused(alert.event, verdict.detail, verdict.kind === "permanent");
          }
        return sent;
      },
    };
  }

  async run(): Promise<void> {
    await Promise.all(
      [...this.#bySource.values()].map(({ canary, synced }) =>
        canary.run(synced.promise, this.#signal),
      ),
    );
  }

  #canary({ source, place, writer }: CanarySite): Canary {
    const { canary, sinks, cluster } = this.#config;
    const { clock, observer, makeId } = this.#ports;
    const everyMs = canary.everyMs ?? 0;
    const { sink, deadlineMs } = canary;
    const giveUpAfterMs = sinks.find(({ name }) => name === sink)?.giveUpAfterMs ?? everyMs;
    const teller = sinks.find(({ name }) => name === canary.tell);
    observer.canaryStarted(
      source,
      `a canary every ${everyMs / 1000} s in namespace ${place.namespace}, to ${sink ?? "the ledger"} within ${deadlineMs / 1000} s`,
    );
    return new Canary(
      { source, everyMs, deadlineMs, sink, giveUpAfterMs },
      {
        clock,
        observer,
        recognises: (event) => writer.recognises(event),
        write: (count, at, signal) => writer.write(count, at, signal),
        ledgerHolds: () => this.#ledger.healthy(),
        isOwed: () => sink !== null && this.#ledger.outbox.nextAt(sink, 0) !== null,
        tell: (news) => {
          if (teller === undefined) return;
          const { name, lang } = teller;
          const { namespace, object } = place;
          const at = clock.now();
          const told = { id: makeId(), source, cluster, namespace, object, lang, at };
          this.#tell(name, newsEvent(news, told));
        },
      },
    );
  }

  #tell(sink: string, event: KubeEvent): void {
    const { observer } = this.#ports;
    const entry = { event, alert: { kind: "event", event } as const, sinks: [sink] };
    // It waits while the ledger is full; that must not hold the canary up.
    void this.#ledger.outbox.add([entry], [], this.#signal).then(
      () => observer.noticeOwed([sink]),
      (error: unknown) => {
        if (!this.#signal.aborted) observer.error(`${sink} could not be told: ${String(error)}`);
      },
    );
  }
}
