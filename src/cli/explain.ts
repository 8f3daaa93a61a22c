import { ConfigError } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import { explainEvent } from "../explain/event.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { explainStored } from "./explain-stored.ts";
import { explanationText } from "./explain-text.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { readEventFile, tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";

export interface ExplainOptions {
  readonly event?: string;
  readonly id?: string;
  readonly json?: true;
}

const ONE_OF = {
  where: "explain",
  message: "expected --event FILE, or --id ID of what is in the ledger, one of them",
  hint: "kube-crier history --json shows the ids",
};

/** `kube-crier explain`: which filters keep or drop an event, test by test, and who would be told. Nothing is sent, nothing is asked of a cluster. */
export async function explainCommand(
  flags: FlagValues,
  options: ExplainOptions,
  io: Io,
): Promise<ExitCode> {
  try {
    const { config, warnings } = loadConfig({ flags, registry, env: io.env });
    tellWarnings(warnings, io);
    const { id, event: file } = options;
    if ((id === undefined) === (file === undefined)) throw new ConfigError([ONE_OF]);
    if (id !== undefined) return await explainStored(config, id, options.json === true, io);
    const events = await readEventFile(file ?? "-", config.cluster, io);
    for (const [index, event] of events.entries()) {
      const explanation = explainEvent(config, event);
      if (options.json === true) io.stdout.write(`${JSON.stringify({ event, ...explanation })}\n`);
      else
        io.stdout.write(`${index > 0 ? "\n" : ""}${explanationText(config, event, explanation)}`);
    }
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}
