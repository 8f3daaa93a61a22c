import { orAborted } from "../clock.ts";
import type { Config, ConfigIssue } from "../config/config.ts";
import type { Sender } from "../delivery/sender.ts";
import type { AppPorts } from "./app.ts";
import { gather } from "./gather.ts";
import { checkSenders } from "./senders.ts";
import { ledgerProblems } from "./standby.ts";

/**
 * What waiting cannot cure, of every room, is added to the issues.
 * @returns the senders; `null` where they could not be opened, or it was interrupted
 */
export async function preflight(
  config: Config,
  ports: Pick<
    AppPorts,
    "openSenders" | "observer" | "sources" | "web" | "canarySites" | "election"
  >,
  issues: ConfigIssue[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Sender> | null> {
  let senders: ReadonlyMap<string, Sender> | null = null;
  const open = async () => {
    senders = await ports.openSenders(signal);
    const checked = await checkSenders(senders, signal);
    issues.push(...checked.issues);
    for (const [name, { away }] of checked.found)
      if (away !== null && !signal.aborted)
        ports.observer.warning(`${name}: is away; what is owed waits for it: ${away}`);
  };
  const looked = Promise.all([
    // Interrupted while it waited for the API server: no bug, and nothing to say.
    gather(issues, null, open).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
    ...ports.sources.map((source) => gather(issues, null, () => source.preflight(signal))),
    Promise.resolve(ports.web?.problems(signal) ?? []).then((found) => issues.push(...found)),
    ...(ports.canarySites ?? []).map(async (site) => {
      issues.push(...(await site.writer.problems(signal)));
    }),
    ports.election?.problems(signal).then((found) => issues.push(...found)),
    // Others open it, and say so, before they ask for anything else.
    ports.election &&
      ledgerProblems(config, ports.observer, signal).then((found) => issues.push(...found)),
  ]);
  // Not everything that is looked at gives up looking when it is told to.
  await orAborted(
    looked.then(() => undefined),
    signal,
  );
  return senders;
}
