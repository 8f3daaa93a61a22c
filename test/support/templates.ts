import path from "node:path";
import { ConfigError } from "../../src/config/config.ts";
import { buildView } from "../../src/template/build-view.ts";
import { loadTemplate, type Reader, type TemplateFile } from "../../src/template/engine.ts";
import {
  createTemplates,
  type TemplateFolder,
  type Templates,
} from "../../src/template/templates.ts";
import type { View } from "../../src/template/view.ts";
import type { Alert } from "../../src/event/alert.ts";
import { anEvent } from "./events.ts";

export const BUILTIN = path.resolve(import.meta.dirname, "../../templates");

export const READER: Reader = {
  lang: "en",
  timezone: "Asia/Shanghai",
  now: Date.parse("2026-11-20T08:06:00Z"),
};

/** The built-in templates, with a user's before them. */
export function theTemplates(...overrides: TemplateFolder[]): Templates {
  return createTemplates({ builtinDir: BUILTIN, overrides });
}

/** A template that must be right. */
export function aTemplate(source: string): TemplateFile {
  const loaded = loadTemplate(source, "test.hbs");
  if (!loaded.ok) throw new ConfigError(loaded.errors);
  return loaded.template;
}

export function aView(
  alert: Alert = { kind: "event", event: anEvent() },
  reader: Partial<Reader> = {},
): View {
  return buildView(alert, {
    ...READER,
    ...reader,
    id: "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10",
    labels: ["team-a", "#oncall"],
    cluster: "",
  });
}
