import type { Config, ConfigIssue, SinkConfig } from "../config/config.ts";
import type { Alert } from "../event/alert.ts";
import { previewOf, type Preview } from "../simulate/preview.ts";
import { composeFor } from "./senders.ts";
import { buildTemplates } from "./templates.ts";

/** What a template makes of an alert, in both languages. */
export interface Previewed {
  /** What is wrong with the template, and where; then there is nothing else. */
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly string[];
  readonly looks: readonly {
    readonly lang: "en" | "zh";
    /** As the chat shows it; `null`: the sink is no chat. */
    readonly preview: Preview | null;
    /** The request's body, or the texts of a sink that sends no request. */
    readonly text: string;
    /** Why it cannot be sent; `null`: it can. */
    readonly problem: string | null;
  }[];
}

/** Stands for the idempotency key, which is made when a delivery is owed. */
const NO_ID = "00000000-0000-4000-8000-000000000000";

/**
 * A template that is being written, for one sink of the configuration. Nothing is read or sent.
 * @param text the file's; `null`: what is in use by default
 */
export async function previewTemplate(
  config: Config,
  sink: SinkConfig,
  text: string | null,
  alert: Alert,
  now: number,
): Promise<Previewed> {
  const warnings: string[] = [];
  const source = `${sink.definition.type}.hbs`;
  const alone = { ...config, sinks: [sink] };
  const { templates, issues } = await buildTemplates(
    alone,
    {
      folders: [],
      own: new Map([[sink.name, text === null ? [] : [{ source, text }]]]),
      issues: [],
    },
    { warning: (warning) => void warnings.push(warning) },
  );
  const template = templates.get(sink.name);
  if (template === undefined) return { issues, warnings, looks: [] };
  const looks = (["en", "zh"] as const).map((lang) => {
    const composed = composeFor(config, { ...sink, lang }, template, { id: NO_ID, alert }, now);
    if (!composed.ok) {
      const { verdict } = composed;
      const problem = verdict.kind === "accepted" ? null : verdict.detail;
      return { lang, preview: null, text: "", problem };
    }
    const { request, message } = composed;
    return {
      lang,
      preview: request === null ? null : previewOf(sink.definition.type, request, now),
      text: request?.body ?? JSON.stringify(message.blocks, null, 2),
      problem: null,
    };
  });
  return { issues, warnings, looks };
}
