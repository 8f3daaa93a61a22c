import type { OptionInfo } from "../sink/schema.ts";
import { asText, FLAGS, OPTION_GROUPS } from "./options.ts";
import { HOUSE_PARAMETERS } from "./sink-uri.ts";

/** The tables of docs/configuration.md. */
export function optionsMarkdown(): string {
  return [
    "### Global options",
    table(OPTION_GROUPS.global),
    "### `sources: [{ kubernetes: … }]`",
    table(OPTION_GROUPS.kubernetes),
    "### `sources: [{ file: … }]`",
    table(OPTION_GROUPS.file),
    "### `filter` (global, and of each sink)",
    table(OPTION_GROUPS.filter),
    "### `filter.exclude`",
    table(OPTION_GROUPS.exclude),
    "### `sinks.NAME`, beside the sink's own options",
    table(OPTION_GROUPS.sink),
    "### Parameters of a `--sink` URI, beside the sink's own options",
    `${HOUSE_PARAMETERS.map((name) => `\`${name}\``).join(", ")}. Upper and lower case, \`-\` and \`_\` make no difference: \`give_up_after\` is \`giveUpAfter\`.`,
    "### Flags",
    rows(
      ["flag", "default", "what"],
      FLAGS.map(({ flag, fallback, description, repeatable }) => [
        `\`${flag}\``,
        code(fallback),
        `${description}${repeatable ? "; may be repeated" : ""}`,
      ]),
    ),
  ].join("\n\n");
}

function table(options: readonly OptionInfo[]): string {
  return rows(
    ["option", "default", "what", "example"],
    options.map(({ name, meta, required, fallback }) => [
      `\`${name}\``,
      required ? "required" : code(asText(fallback)),
      meta.description,
      code(meta.example === undefined ? null : JSON.stringify(meta.example)),
    ]),
  );
}

/** A table as the formatter leaves it: columns aligned. */
function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const cells = [head, ...body].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[], fill: string) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width, fill)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first, " "), line([], "-"), ...rest.map((row) => line(row, " "))].join("\n");
}

function code(text: string | null): string {
  return text === null ? "" : `\`${text}\``;
}
