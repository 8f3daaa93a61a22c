import type { Command } from "commander";
import type { Completable } from "../completion.ts";

/** The commands that do something, without those that only hold others. */
export function leavesOf(program: Command): readonly Command[] {
  return program.commands.flatMap((command) =>
    command.commands.length === 0 ? [command] : command.commands,
  );
}

/** `run`, `dead list`. */
export function nameOf(command: Command, program: Command): string {
  const parent = command.parent === program ? "" : `${command.parent?.name()} `;
  return `${parent}${command.name()}`;
}

export function completable(program: Command): readonly Completable[] {
  return leavesOf(program).map((command) => ({
    command: nameOf(command, program),
    flags: [
      ...command.options.map(({ long, required }) => `${long ?? ""}${required ? "=" : ""}`),
      "--help",
    ],
  }));
}

export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}\n`).join("")}`;
}
