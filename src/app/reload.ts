import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Config, ConfigIssue } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import { readConfigMap } from "../source/kubernetes/configmap.ts";
import type { SinkTemplate } from "../template/templates.ts";
import type { Clients } from "./clients.ts";
import { buildTemplates } from "./templates.ts";
import { hasTexts, isPassing, readTexts, type ReadMap, type Texts } from "./texts.ts";

export interface ReloadPorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "warning" | "templatesChanged" | "templatesStale">;
}

/** How long a changed text waits to be seen. It is asked for and not watched: RBAC that lets kube-eventer read its ConfigMap is enough. */
const EVERY_MS = 10_000;

/** Templates that can be exchanged while they are in use. */
export class LiveTemplates {
  readonly #current: Map<string, SinkTemplate>;
  readonly #faces: ReadonlyMap<string, SinkTemplate>;
  /** What they are made of now. */
  texts: Texts | null;

  constructor(templates: ReadonlyMap<string, SinkTemplate>, texts: Texts | null = null) {
    this.texts = texts;
    this.#current = new Map(templates);
    this.#faces = new Map(
      [...templates].map(([sink, first]): [string, SinkTemplate] => [
        sink,
        {
          render: (...args) => (this.#current.get(sink) ?? first).render(...args),
          medium: (...args) => (this.#current.get(sink) ?? first).medium(...args),
          check: (wanted) => (this.#current.get(sink) ?? first).check(wanted),
        },
      ]),
    );
  }

  /** By the sink's name; each is always the newest good one. */
  get bySink(): ReadonlyMap<string, SinkTemplate> {
    return this.#faces;
  }

  exchange(templates: ReadonlyMap<string, SinkTemplate>): void {
    for (const [sink, template] of templates) this.#current.set(sink, template);
  }
}

/**
 * Looks at the user's own texts again and again, and puts changed ones to use: a sink whose text is gone or has mistakes keeps the last good one,
 * which is said and counted. Ends when `signal` aborts; at once where no text is the user's own.
 */
export async function followTemplates(
  config: Config,
  started: { readonly live: LiveTemplates; readonly texts: Texts },
  ports: ReloadPorts,
  signal: AbortSignal,
): Promise<void> {
  if (!hasTexts(config)) return;
  const { clock, observer } = ports;
  const read = asking(ports.clients, signal);
  let known = markOf(started.texts);
  let { folders } = started.texts;
  for (;;) {
    await clock.sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    const texts = await readUnlessAway(config, read);
    if (signal.aborted) return;
    if (texts === null || markOf(texts) === known) continue;
    known = markOf(texts);
    const wanted = { ...texts, folders: withGone(config, texts.folders, folders) };
    let built = await buildTemplates(config, wanted, observer);
    if (built.foldersFit) ({ folders } = wanted);
    else
      built = await buildTemplates(config, { ...texts, folders, issues: built.issues }, observer);
    const { templates, issues } = built;
    started.live.exchange(templates);
    started.live.texts = { ...texts, folders };
    if (issues.length > 0) observer.templatesStale(issues.map(textOf));
    else observer.templatesChanged();
  }
}

/** A folder that cannot be read now is as it was: ours in its place would be another message than the one that is wanted. */
function withGone(
  { templates }: Config,
  found: Texts["folders"],
  before: Texts["folders"],
): Texts["folders"] {
  return templates.flatMap((place) => {
    const isIt = ({ source }: Texts["folders"][number]) => source === place;
    return found.find(isIt) ?? before.find(isIt) ?? [];
  });
}

function asking(clients: Clients, signal: AbortSignal): ReadMap {
  return async (namespace, name) => {
    try {
      return await readConfigMap(clients.first(), namespace, name, signal);
    } catch (error) {
      throw isPassing(error) ? new AwayError(error) : error;
    }
  };
}

/** The API server cannot say now. */
class AwayError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "AwayError";
  }
}

/** `null` where not everything can be asked for now: then nothing is known to have changed. */
async function readUnlessAway(config: Config, read: ReadMap): Promise<Texts | null> {
  let isAway = false;
  const texts = await readTexts(config, (namespace, name) =>
    read(namespace, name).catch((error: unknown) => {
      isAway ||= error instanceof AwayError;
      throw error;
    }),
  );
  return isAway ? null : texts;
}

function markOf({ folders, own, issues }: Texts): string {
  return createHash("sha256")
    .update(JSON.stringify([folders, [...own], issues]))
    .digest("base64");
}

function textOf({ where, message, hint }: ConfigIssue): string {
  return `${where}: ${message}${hint === null ? "" : ` (${hint})`}`;
}
