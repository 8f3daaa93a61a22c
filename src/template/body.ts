import type { BodyEngine, BodyTemplate, Medium } from "../sink/define.ts";
import { type Loaded, loadTemplate } from "./engine.ts";
import type { TemplateText } from "./templates.ts";

/** What only Go writes: a field, a variable, an action without `#`, a comment, a text or parentheses first. */
const GO =
  /\{\{-?\s*(?:[.$]\w|(?:if|range|with|end|define|template|block|break|continue|printf?|println|html|js|urlquery|index|slice|len|call)\b|\/\*|["`(])/;
/** What only Handlebars writes. */
const HANDLEBARS = /\{\{(?:[{#^>!&~]|\/\w)/;
/** Actions of either language that give no text themselves. */
const SILENT =
  /\{\{!--[^]*?--\}\}|\{\{[-~]?\s*(?:[#^/!]|(?:else|if|end|range|with|define|block|break|continue)\b|\$\w*\s*(?:,\s*\$\w+\s*)?:?=)[^]*?\}\}/g;
/** Handlebars' helper of that name, which writes nothing else. */
const JSON_VALUE = /\{\{[{~&]?\s*json\s[^]*?\}\}/g;
const ACTION = /\{\{[^]*?\}\}/g;
/** For what an action gives. */
const VALUE = "\u0000";
/** `[prod] Back-off …`: a word, or what is closed before the rest begins. */
const MARKED = /^\[(?:\s*(?!true\b|false\b|null\b)\p{L}|[^\][{"]*\]\s*\S)/u;

/**
 * Reads a body in the engine it is written in; without one that is said, the body tells: what is right as Handlebars is that, and what is right
 * as Go's text/template is that. What is neither is told of as what it looks like. Go's engine is loaded for bodies that need it only.
 * @param format what it gives; `null`: JSON where it begins as JSON does, else text
 */
export async function loadBody(
  { source, text }: TemplateText,
  engine: BodyEngine | null,
  format: BodyTemplate["format"],
): Promise<Loaded> {
  const medium = format ?? (looksJson(text) ? "json" : "text");
  const loaded = await inItsEngine({ source, text }, engine, medium);
  return loaded.ok ? { ok: true, template: { ...loaded.template, medium } } : loaded;
}

/** An object or a list, as far as the text tells before it is executed; text with a mark before it is neither. */
function looksJson(text: string): boolean {
  const given = text.replace(SILENT, "").replace(JSON_VALUE, "{}").replace(ACTION, VALUE).trim();
  // What stands first may be there for some events only.
  const first = given.replace(/^\0*\s*/, "");
  return /^[{[]/.test(first) && !MARKED.test(first);
}

async function inItsEngine(
  { source, text }: TemplateText,
  engine: BodyEngine | null,
  medium: Medium,
): Promise<Loaded> {
  const handlebars = loadTemplate(text, source);
  if (engine === "handlebars" || (engine === null && handlebars.ok)) return handlebars;
  const looksGo = GO.test(text);
  if (engine === null && !looksGo && HANDLEBARS.test(text)) return handlebars;
  const { loadGoBody } = await import("./go-body.ts");
  const go = loadGoBody(text, source, medium);
  if (engine === "go" || go.ok) return go;
  return looksGo && !HANDLEBARS.test(text) ? go : handlebars;
}
