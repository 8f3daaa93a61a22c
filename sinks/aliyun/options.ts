import { s, type Secret } from "../../src/sink/index.ts";

/** Where temporary credentials come from when no access key is given; `whose` stands before each description. */
export const roleOptions = (whose = "") => ({
  tokenFile: s
    .text({
      description: `${whose}Where ACK mounts an addon's token, which counts where no access key is given and the file is there.`,
    })
    .default("/var/addon/token-config"),
  metadataService: s
    .text({
      description: `${whose}The metadata service of the instance; asked for its RAM role's credentials where there is neither an access key nor an addon's token, and for its region where that is not given then.`,
    })
    .regex(
      /^(http:\/\/(100\.100\.100\.200|localhost|127(\.\d{1,3}){3})|https:\/\/[a-z0-9][a-z0-9.-]*)(:\d+)?\/?$/i,
      "is no metadata service; expected http://100.100.100.200, or one on this machine",
    )
    .default("http://100.100.100.200"),
});

interface Given {
  readonly accessKeyId?: Secret | undefined;
  readonly accessKeySecret?: Secret | undefined;
  readonly securityToken?: Secret | undefined;
}

/** Neither is the RAM role's turn; half a key is a mistake. */
export function hasOwnKey({ accessKeyId, accessKeySecret, securityToken }: Given): boolean {
  return [accessKeyId, accessKeySecret, securityToken].some((part) => part !== undefined);
}

export function keyProblems(given: Given, problem: (path: string, message: string) => void): void {
  for (const name of ["accessKeyId", "accessKeySecret"] as const) {
    if (given[name]?.reveal() === "") problem(name, "is empty");
    if (given[name] === undefined && hasOwnKey(given))
      problem(name, "is missing; expected both parts of the access key, or neither");
  }
}
