import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Clock } from "../../clock.ts";
import { ConfigError, type FileSourceConfig } from "../../config/config.ts";
import { normalize } from "../../event/normalize.wire.ts";
import type { Observer } from "../../observe/observer.ts";
import type { PreflightSource, SourceItem } from "../source.ts";
import { textOf } from "./text.ts";
import { FormatError, type JsonValue, ValueSplitter } from "./values.ts";
import { type Held, nameOf, unwrap } from "./wire.ts";

export interface FileSourcePorts {
  readonly clock: Clock;
  readonly observer: Observer;
  /** The configured name of the cluster, told with each event. */
  readonly cluster: string;
  readonly name: string;
  /** Standard input, asked for only where the path is `-`. */
  readonly stdin: () => Readable;
}

const BATCH = 100;

/**
 * Events from a file or standard input, in the order they stand there, whatever their age: a List, an array, a watch stream or one Event a line.
 * Read as it comes, so that a pipe is followed live. Ends with the file; content that is no JSON throws ConfigError with its place.
 */
export function createFileSource(
  config: FileSourceConfig,
  ports: FileSourcePorts,
): PreflightSource {
  const { observer, name } = ports;
  const label = config.path === "-" ? "standard input" : config.path;

  /** Objects of other kinds are told and left out: a List may hold Pods as well. */
  const itemOf = (held: Held, { line, column }: JsonValue, now: string): SourceItem | null => {
    if (held.kind === "error")
      throw new FormatError(`the watch was refused: ${held.message}`, line, column);
    if (held.kind === "skip") return null;
    const event = normalize(held.object, ports.cluster, now);
    if (event !== null) return { kind: "event", event, checkpoint: null };
    observer.sourceGarbage(name, `${label}:${line}: ${nameOf(held.object)} is no Event`);
    return null;
  };

  return {
    name,

    async preflight() {
      if (config.path === "-") return;
      try {
        if ((await stat(config.path)).isDirectory()) throw new Error("it is a directory");
        await access(config.path, constants.R_OK);
      } catch (error) {
        throw problem(
          label,
          `cannot be read: ${(error as Error).message}`,
          "give a file of events, or - for standard input",
        );
      }
    },

    async *batches(_resume, signal) {
      observer.sourceConnecting(name, label);
      // There is no past to catch up with: a pipe may stay open for ever.
      yield [{ kind: "synced" }];
      if (signal.aborted) return;
      const splitter = new ValueSplitter();
      let batch: SourceItem[] = [];
      try {
        const { chunks, isLive } = await textOf(config.path, ports.stdin, signal);
        for await (const chunk of chunks) {
          const now = new Date(ports.clock.now()).toISOString();
          for (const found of splitter.push(chunk)) {
            for (const held of unwrap(found.value)) {
              const item = itemOf(held, found, now);
              if (item === null) continue;
              batch.push(item);
              if (batch.length < BATCH) continue;
              yield batch;
              batch = [];
              if (signal.aborted) return;
            }
          }
          if (!isLive || batch.length === 0) continue;
          yield batch;
          batch = [];
          if (signal.aborted) return;
        }
        if (signal.aborted) return;
        splitter.end();
        if (batch.length > 0) yield batch;
        observer.sourceEnded(name);
      } catch (error) {
        if (signal.aborted) return;
        // What stood before the fault was good.
        if (batch.length > 0) yield batch;
        throw error instanceof FormatError
          ? problem(
              `${label}:${error.line}:${error.column}`,
              error.message,
              "expected what `kubectl get events -o json` prints, a watch stream, or one Event a line",
            )
          : problem(label, `cannot be read: ${(error as Error).message}`, null);
      }
    },
  };
}

function problem(where: string, message: string, hint: string | null): ConfigError {
  return new ConfigError([{ where, message, hint }]);
}
