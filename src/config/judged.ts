import { s } from "../sink/schema.ts";

/** Text that a parser of its own judges; what it means is taken from the text again once all is well. */
export function judged(
  problem: (text: string) => string | null,
  meta: Parameters<typeof s.text>[0],
) {
  return s.text(meta).superRefine((text, ctx) => {
    const message = problem(text);
    if (message !== null) ctx.addIssue({ code: "custom", message, input: undefined });
  });
}

export function judgedList(
  problem: (text: string) => string | null,
  meta: Parameters<typeof s.list>[0],
) {
  return s.list(meta).superRefine((values, ctx) => {
    for (const [index, value] of values.entries()) {
      const message = problem(value);
      if (message !== null)
        ctx.addIssue({ code: "custom", message, path: [index], input: undefined });
    }
  });
}

/** What is wrong with a text, of what its parser made of it. */
export function problemOf(
  parsed: { readonly ok: true } | { readonly ok: false; readonly problem: string },
): string | null {
  return parsed.ok ? null : parsed.problem;
}
