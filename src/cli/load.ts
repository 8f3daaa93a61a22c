import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { createClients } from "../app/clients.ts";
import { loadTemplates } from "../app/templates.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import type { KubeEvent } from "../event/event.ts";
import { readEvents, readObjects } from "../source/file/read.ts";
import type { SinkTemplate } from "../template/templates.ts";
import { sinks as registry } from "../../sinks/index.ts";
import type { Io } from "./io.ts";
import { issueText } from "./problems.ts";

export interface Prepared {
  readonly config: Config;
  /** By the sink's name. */
  readonly templates: ReadonlyMap<string, SinkTemplate>;
  readonly warnings: readonly ConfigIssue[];
}

/** Configuration and templates, for commands that compose messages without watching. Warnings go to the error output. */
export async function prepare(flags: FlagValues, io: Io): Promise<Prepared> {
  const { config, warnings } = loadConfig({ flags, registry, env: io.env });
  const clients = createClients(config.sources, io.clock);
  try {
    const observer = {
      warning: (message: string) => void io.stderr.write(`warning: ${message}\n`),
    };
    const templates = await loadTemplates(
      config,
      { clients, clock: io.clock, observer },
      io.signal,
    );
    return { config, templates, warnings };
  } finally {
    clients.close();
  }
}

/** What `--event FILE|-` holds. */
export const readEventFile = (
  file: string,
  cluster: string,
  io: Io,
): Promise<readonly KubeEvent[]> =>
  readEventsWith(file, io, (text) =>
    readEvents(text, cluster, new Date(io.clock.now()).toISOString()),
  );

/** The same as the API wrote them. */
export const readEventObjects = (file: string, io: Io): Promise<readonly unknown[]> =>
  readEventsWith(file, io, readObjects);

async function readEventsWith<T>(file: string, io: Io, read: (text: string) => T): Promise<T> {
  const name = file === "-" ? "standard input" : file;
  let text: string;
  try {
    text = file === "-" ? await readAll(io.stdin) : readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError([
      {
        where: "--event",
        message: `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        hint: "give a file, or - for standard input",
      },
    ]);
  }
  try {
    return read(text);
  } catch (error) {
    throw new ConfigError([
      {
        where: `--event ${name}`,
        message: error instanceof Error ? error.message : String(error),
        hint: "expected what `kubectl get event NAME -o json` prints: one Event of core/v1 or events.k8s.io/v1, or a List of them",
      },
    ]);
  }
}

export function readTemplate(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError([
      {
        where: "--template",
        message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        hint: "give the file of a template",
      },
    ]);
  }
}

export function tellWarnings(warnings: readonly ConfigIssue[], io: Io): void {
  if (warnings.length === 0) return;
  io.stderr.write("warnings:\n");
  for (const warning of warnings) io.stderr.write(issueText(warning));
}
