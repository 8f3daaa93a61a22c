import type { ConfigIssue } from "./config.ts";
import type { Tree } from "./tree.ts";

/** A problem of an option that stands alone is told where it was given. */
export function issueAt(tree: Tree, option: string, message: string, hint: string): ConfigIssue {
  const layer = tree.layerOf([option]);
  const label = layer?.label([option]) ?? option;
  return {
    where: layer?.where([option], "value") ?? option,
    message: label === "" ? message : `${label}: ${message}`,
    hint,
  };
}
