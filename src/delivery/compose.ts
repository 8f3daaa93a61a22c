import type { Delivery } from "../event/delivery.ts";
import { severityOf } from "../event/severity.ts";
import type { Lang } from "../config/config.ts";
import type {
  HttpRequest,
  Medium,
  Message,
  SinkDefinition,
  Size,
  StrictBlock,
} from "../sink/define.ts";
import { characterLength, cut, fits, measure } from "../sink/text.ts";
import { permanent, type Verdict } from "../sink/verdict.ts";
import { buildView, partsOf } from "../template/build-view.ts";
import { mendCut } from "../template/escape.ts";
import { jsonProblem } from "../template/json-problem.ts";
import { strictEvent } from "../template/strict-event.ts";
import type { SinkTemplate } from "../template/templates.ts";
import type { View } from "../template/view.ts";

export interface ComposeInput {
  readonly definition: SinkDefinition;
  /** As the definition's schema gave them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly delivery: Pick<Delivery, "id" | "alert">;
  /** The sink's own blocks before the built-in ones. */
  readonly template: SinkTemplate;
  readonly lang: Lang;
  /** An IANA name. */
  readonly timezone: string;
  readonly labels: readonly string[];
  /** The address of it on the page; without it there is no link. */
  readonly link?: string;
  /** `compat: strict`: an event is told as kube-eventer told it. */
  readonly strict: boolean;
  /** Where the alert itself names no cluster. */
  readonly cluster: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Composed =
  | {
      readonly ok: true;
      readonly message: Message;
      /** What `message` becomes on the wire; `null` for a sink that speaks no HTTP. */
      readonly request: HttpRequest | null;
      /** Text was left out for the platform's limits. */
      readonly cut: boolean;
    }
  | { readonly ok: false; readonly verdict: Verdict };

/**
 * An alert as a sink is to send it: rendered, and fitted to the platform's limits. What is too large is rendered again with less of the event's
 * message (or fewer lines of a digest), so that a cut never falls into an escape, a quotation or a link; a block that is too large even without
 * is cut itself. Rendering happens at each attempt: a corrected template repairs what waits.
 */
export function compose(input: ComposeInput): Composed {
  try {
    return fitted(new Draft(input));
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, verdict: error.verdict };
    throw error;
  }
}

class Refusal extends Error {
  readonly verdict: Verdict;

  constructor(reason: "template" | "tooLarge", detail: string) {
    super(detail);
    this.verdict = permanent(reason, detail);
  }
}

interface Rendered {
  /** How many characters of the message (lines of a digest) are in it. */
  readonly limit: number;
  readonly message: Message;
  readonly request: HttpRequest | null;
  /** Blocks beyond their limit. */
  readonly over: readonly string[];
  readonly bodyFits: boolean;
}

/** Most messages are far shorter; of a huge one no more is rendered than may be needed. */
const FIRST_TRY = 20_000;

function fitted(draft: Draft): Composed {
  const found = longest(draft);
  if (found !== null) return done(found, found.limit < draft.parts);
  // What is too large without any of the message is so for another reason, and cutting the message does not help it.
  const least = draft.render(0);
  draft.cutBlocks(least.over);
  const rest = longest(draft);
  if (rest === null) throw new Refusal("tooLarge", draft.sizeOf(least));
  return done(rest, true);
}

/** With as much of the message as fits; `null` where even none of it does. */
function longest(draft: Draft): Rendered | null {
  // No character takes less than one unit: what is beyond the body's limit need not be tried.
  const most = Math.min(draft.parts, draft.limits.body?.max ?? draft.parts);
  let best: Rendered | null = null;
  let tooMuch = Math.min(most, FIRST_TRY);
  for (;;) {
    const tried = draft.render(tooMuch);
    if (!fitsAll(tried)) break;
    if (tooMuch === most) return tried;
    best = tried;
    tooMuch = Math.min(most, tooMuch * 2);
  }
  best ??= draft.render(0);
  if (!fitsAll(best)) return null;
  while (tooMuch - best.limit > 1) {
    const tried = draft.render(Math.floor((best.limit + tooMuch) / 2));
    if (fitsAll(tried)) best = tried;
    else tooMuch = tried.limit;
  }
  return best;
}

function fitsAll(rendered: Rendered): boolean {
  return rendered.bodyFits && rendered.over.length === 0;
}

function done({ message, request }: Rendered, cut: boolean): Composed {
  return { ok: true, message, request, cut };
}

interface Block {
  readonly medium: Medium;
  /** Absent: the template writes it. */
  readonly write?: StrictBlock["write"];
}

/** One delivery, rendered as often as fitting it takes. */
class Draft {
  readonly #input: ComposeInput;
  readonly #blocks: Readonly<Record<string, Block>>;
  /** `null`: as ever. */
  readonly #strict: SinkDefinition["strict"] | null;
  readonly #cut = new Set<string>();
  readonly parts: number;
  readonly limits: { readonly body: Size | null; readonly blocks: Readonly<Record<string, Size>> };

  constructor(input: ComposeInput) {
    const { definition, options, delivery } = input;
    this.#input = input;
    // The definition's own type of options is erased in the registry; its schema made these.
    const { alert } = delivery;
    this.#strict = input.strict && alert.kind === "event" ? (definition.strict ?? null) : null;
    const ordinary = Object.entries(definition.blocks(options)).map(
      ([name, medium]) =>
        [name, { medium: input.template.medium(name, medium, alert.kind) }] as const,
    );
    this.#blocks = { ...Object.fromEntries(ordinary), ...this.#strict?.blocks(options) };
    this.limits = definition.limits(options);
    this.parts =
      this.#strict === null || alert.kind !== "event"
        ? partsOf(alert)
        : characterLength(alert.event.message);
  }

  /** From now on these blocks are cut to their limits, whatever stands in them. */
  cutBlocks(names: readonly string[]): void {
    for (const name of names) {
      if (this.#blocks[name]?.medium === "json")
        throw new Refusal(
          "tooLarge",
          `the block "${name}" is beyond its limit of ${sizeText(this.limits.blocks[name])} even without the message's text`,
        );
      this.#cut.add(name);
    }
  }

  render(limit: number): Rendered {
    const { delivery, lang, timezone, now, labels } = this.#input;
    const { alert } = delivery;
    // Made for the first block: a sink that shows none, as a table does, need not wait for it.
    let view: View | null = null;
    const over: string[] = [];
    const blocks: Record<string, string> = {};
    for (const [name, { medium, write }] of Object.entries(this.#blocks)) {
      const make = () => {
        if (write !== undefined && alert.kind === "event")
          return write(strictEvent(alert.event, medium, { lang, timezone, labels, limit }));
        view ??= buildView(alert, { ...this.#input, id: delivery.id, limit });
        return this.#input.template.render(name, medium, view, { lang, timezone, now });
      };
      const text = this.#block(name, medium, make);
      const size = this.limits.blocks[name];
      if (size !== undefined && !fits(text, size)) over.push(name);
      blocks[name] = text;
    }
    const message: Message = {
      id: delivery.id,
      severity: alert.kind === "event" ? severityOf(alert.event) : "notice",
      lang,
      blocks,
      alert,
      event: alert.kind === "event" ? alert.event : null,
    };
    const request = this.#request(message);
    const { body } = this.limits;
    const bodyFits = request === null || body === null || fits(request.body, body);
    return { limit, message, request, over, bodyFits };
  }

  #block(name: string, medium: Medium, make: () => string): string {
    let text: string;
    try {
      text = make();
    } catch (error) {
      throw new Refusal("template", error instanceof Error ? error.message : "cannot be rendered");
    }
    const problem = medium === "json" ? jsonProblem(text) : null;
    if (problem !== null)
      throw new Refusal("template", `the block "${name}" did not give valid JSON: ${problem}`);
    const size = this.limits.blocks[name];
    if (size === undefined || !this.#cut.has(name) || fits(text, size)) return text;
    const room = { ...size, max: Math.max(0, size.max - measure("…", size.unit)) };
    return `${mendCut(medium, cut(text, room, ""))}…`;
  }

  #request(message: Message): HttpRequest | null {
    const { definition, options, now } = this.#input;
    if (definition.transport !== "http") return null;
    try {
      const form = this.#strict === null ? definition : (definition.strict ?? definition);
      return form.request(options, message, now);
    } catch {
      // The error may quote an option, which may be a secret.
      throw new Refusal("template", "the request could not be built from the message");
    }
  }

  /** Why it cannot be sent, with the next step. */
  sizeOf({ request }: Rendered): string {
    const { body } = this.limits;
    const found =
      request === null || body === null ? "" : ` of ${measure(request.body, body.unit)}`;
    return `the request body${found} is beyond the platform's limit of ${sizeText(body)} even without the message's text; shorten the template`;
  }
}

function sizeText(size: Size | null | undefined): string {
  return size === null || size === undefined ? "none" : `${size.max} ${size.unit}`;
}
