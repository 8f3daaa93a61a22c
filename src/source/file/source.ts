import { constants, createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Clock } from "../../clock.ts";
import { ConfigError, type FileSourceConfig } from "../../config/config.ts";
import { normalize } from "../../event/normalize.wire.ts";
import type { Observer } from "../../observe/observer.ts";
import type { PreflightSource, SourceItem } from "../source.ts";
import { FormatError, type JsonText, parseValue, ValueSplitter } from "./values.ts";
import { nameOf, unwrap } from "./wire.ts";

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
  function* itemsOf(value: JsonText): Generator<SourceItem> {
    const receivedAt = new Date(ports.clock.now()).toISOString();
    for (const held of unwrap(parseValue(value))) {
      if (held.kind === "error")
        throw new FormatError(`the watch was refused: ${held.message}`, value.line, value.column);
      if (held.kind === "skip") continue;
      const event = normalize(held.object, ports.cluster, receivedAt);
      if (event === null)
        observer.sourceGarbage(name, `${label}:${value.line}: ${nameOf(held.object)} is no Event`);
      else yield { kind: "event", event, checkpoint: null };
    }
  }

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
      const stream =
        config.path === "-"
          ? ports.stdin()
          : createReadStream(config.path, { highWaterMark: 262_144 });
      stream.setEncoding("utf8");
      const stop = (): void => void stream.destroy();
      signal.addEventListener("abort", stop, { once: true });
      const splitter = new ValueSplitter();
      let batch: SourceItem[] = [];
      try {
        for await (const chunk of stream) {
          for (const value of splitter.push(chunk as string)) {
            for (const item of itemsOf(value)) {
              batch.push(item);
              if (batch.length < BATCH) continue;
              yield batch;
              batch = [];
              if (signal.aborted) return;
            }
          }
          if (batch.length > 0) yield batch;
          batch = [];
          if (signal.aborted) return;
        }
        splitter.end();
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
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

function problem(where: string, message: string, hint: string | null): ConfigError {
  return new ConfigError([{ where, message, hint }]);
}
