import type { BodyEngine, Medium } from "../sink/define.ts";
import { type Loaded, loadTemplate } from "./engine.ts";
import type { TemplateText } from "./templates.ts";

/** What only Go writes: a field, a variable, an action without `#`, a comment, a text or parentheses first. */
const GO =
  /\{\{-?\s*(?:[.$]\w|(?:if|range|with|end|define|template|block|break|continue|printf?|println|html|js|urlquery|index|slice|len|call)\b|\/\*|["`(])/;
/** What only Handlebars writes. */
const HANDLEBARS = /\{\{(?:[{#^>!&~]|\/\w)/;

/**
 * Reads a body in the engine it is written in; without one that is said, the body tells: what is right as Handlebars is that, and what is right
 * as Go's text/template is that. What is neither is told of as what it looks like. Go's engine is loaded for bodies that need it only.
 */
export async function loadBody(
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
