import { toYaml } from "../../config/yaml.ts";
import { callerOf, type GuardedEnv, mustBeAllowed, mustSeeSetup } from "../auth/caller.ts";
import { formOf } from "../auth/form.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Hono } from "../server.ts";
import type { Desk } from "./desk.ts";
import { askBy, type C, page, readerFor, sinkNames } from "./frame.ts";
import { homeOf } from "./homes.ts";
import { drawPreview, drawTemplates, type TemplatesView } from "./templates-page.ts";

/** Larger than any template a person writes. */
const TEXT_MAX = 100_000;

const HOW_TO_USE = `# kubectl -n NAMESPACE apply -f kube-crier-templates.yaml, and in the configuration, or by --templates:
#   templates: [configmap:NAMESPACE/kube-crier-templates]
# It is followed: what is changed later counts without a restart.
`;

/** Templates are tried here, and taken along as a ConfigMap; nothing of what runs is changed. */
export function mountTemplates(app: Hono<GuardedEnv>, desk: Desk): void {
  app.get("/templates", async (c) => {
    const fields = new Map(new URL(c.req.url).searchParams);
    return drawn(c, desk, await viewOf(c, desk, fields, true));
  });
  app.post("/templates", async (c) =>
    drawn(c, desk, await viewOf(c, desk, await formOf(c), false)),
  );
  app.post("/templates/preview", async (c) =>
    c.html(drawPreview(await viewOf(c, desk, await formOf(c), false))),
  );
  app.post("/templates/configmap", async (c) => {
    const { sink, text, sinks } = await viewOf(c, desk, await formOf(c), false);
    const type = sinks.find(({ name }) => name === sink)?.type ?? "";
    const map = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kube-crier-templates" },
      data: { [`${type}.hbs`]: text },
    };
    c.header("content-disposition", 'attachment; filename="kube-crier-templates.yaml"');
    return c.body(`${HOW_TO_USE}${toYaml(map, false)}\n`, 200, {
      "content-type": "application/yaml; charset=utf-8",
    });
  });
}

function drawn(c: C, desk: Desk, view: TemplatesView): Response | Promise<Response> {
  const { reader } = view;
  return page(c, desk, reader, "templates", reader.words.nav.templates, 200, {
    chat: true,
    body: drawTemplates(view),
  });
}

/** @param fresh nobody has written anything yet: the editor begins with what is in use */
async function viewOf(
  c: C,
  desk: Desk,
  fields: ReadonlyMap<string, string>,
  fresh: boolean,
): Promise<TemplatesView> {
  const reader = readerFor(c, desk);
  const { sinks } = desk.config;
  const name = fields.get("sink") ?? sinks[0]?.name ?? "";
  // Another kind of sink has other blocks: its own template takes the place of the one that was in the editor.
  const typeOf = (one: string | undefined) =>
    sinks.find((sink) => sink.name === one)?.definition.type;
  const of = fields.get("of") ?? name;
  const text = fresh || typeOf(of) !== typeOf(name) ? null : linesOf(fields.get("text") ?? "");
  const event = (fields.get("event") ?? "").trim();
  const previewed = await tryTemplate(c, desk, { sink: name, text, event });
  return {
    ...previewed,
    sinks: sinks.map((one) => ({ name: one.name, type: one.definition.type })),
    sink: name,
    text: text ?? desk.templateText(name),
    event,
    csrf: callerOf(c).csrf,
    reader,
  };
}

/** A form ends lines as mail does; a file is to end them as files do. */
function linesOf(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/**
 * What a template makes of an event for one sink; nothing is sent.
 * @param text `null`: the one in use
 * @param event its id; empty: an example
 * @throws Refusal
 */
export async function tryTemplate(
  c: C,
  desk: Desk,
  {
    sink,
    text,
    event,
  }: { readonly sink: string; readonly text: string | null; readonly event: string },
): ReturnType<Desk["preview"]> {
  await mustSeeSetup(c, desk.namespaces);
  const names = sinkNames(desk);
  if (!names.includes(sink))
    throw new Refusal(404, `sink: found "${sink}", expected one of ${names.join(", ")}`);
  const written = text ?? desk.templateText(sink);
  if (written.length > TEXT_MAX)
    throw new Refusal(
      400,
      `text: found ${written.length} characters, expected at most ${TEXT_MAX}`,
    );
  return desk.preview(sink, written, event === "" ? null : await alertOf(c, desk, event));
}

async function alertOf(c: C, desk: Desk, id: string) {
  const ask = askBy(c, desk, "all");
  const story = await desk.reader.event(id, ask);
  await mustBeAllowed(c, "read", story === null ? null : [homeOf(story.row.event)]);
  return story === null ? null : ({ kind: "event", event: story.row.event } as const);
}
