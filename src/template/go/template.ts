import { BUILTINS } from "./builtins.ts";
import { fromText, toBuffer, toText } from "./bytes.ts";
import { asCoreEvent } from "./core-event.ts";
import { eventValue } from "./decode.ts";
import { GoTemplateError, placeOf } from "./error.ts";
import { execute, Execution, type Piece } from "./execute.ts";
import { jsonSafe, type SafeOutput } from "./json-safe.ts";
import { parse } from "./parse.ts";
import type { Limits } from "./state.ts";
import { zoneOf } from "./zone.ts";

/** The name that errors give a template: kube-eventer's own. */
const NAME = "body";

const MIB = 1024 * 1024;

export const LIMITS: Limits = { depth: 10_000, steps: 500_000, text: 4 * MIB, handled: 32 * MIB };

const FUNCTIONS: ReadonlySet<string> = new Set(BUILTINS.keys());

export interface GoTemplate {
  /** The output of an Event of core/v1 or events.k8s.io/v1; times are those of the zone of the tz database. Throws GoTemplateError. */
  readonly render: (event: unknown, timeZone: string) => Buffer;
  /** What is wrong in all of it, in the branches that this Event does not take as well. */
  readonly explore: (event: unknown, timeZone: string) => readonly GoTemplateError[];
  /** The same, with what stands within strings of JSON escaped: where it is JSON, or where it is said to be. */
  readonly renderSafe: (event: unknown, timeZone: string, json?: true) => SafeOutput;
}

/** Reads a template of Go's text/template. Throws GoTemplateError. */
export function parseGoTemplate(text: string, limits: Limits = LIMITS): GoTemplate {
  const source = fromText(text);
  const trees = withText(() => parse(NAME, source, FUNCTIONS));
  const run = (event: unknown, timeZone: string): readonly Piece[] => {
    const zone = zoneOf(timeZone);
    const execution = new Execution(trees, source, NAME, zone, limits);
    withText(() => execute(execution, NAME, eventValue(asCoreEvent(event), zone)));
    return execution.pieces;
  };
  const explore = (event: unknown, timeZone: string): readonly GoTemplateError[] => {
    const zone = zoneOf(timeZone);
    const execution = new Execution(trees, source, NAME, zone, limits, true);
    try {
      execute(execution, NAME, eventValue(asCoreEvent(event), zone));
    } catch (error) {
      // Beyond its limits it ends as any other does, and says so there.
      if (!(error instanceof GoTemplateError)) throw error;
    }
    return execution.problems.map(asText);
  };
  return {
    explore,
    render: (event, timeZone) =>
      toBuffer(
        run(event, timeZone)
          .map(({ bytes }) => bytes)
          .join(""),
      ),
    renderSafe: (event, timeZone, json) => jsonSafe(run(event, timeZone), json),
  };
}

/** Errors leave as text: within, they quote bytes. */
function withText<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof GoTemplateError) throw asText(error);
    // Blocks within blocks beyond anything that a person writes.
    if (error instanceof RangeError && /call stack/.test(error.message))
      throw new GoTemplateError(`template: ${NAME}: nested too deeply`, placeOf("", 0));
    throw error;
  }
}

const asText = ({ message, place, hint }: GoTemplateError): GoTemplateError =>
  new GoTemplateError(toText(message), place, hint);
