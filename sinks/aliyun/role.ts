import { type AccessKey, fieldsOf, unlessAborted } from "../../src/sink/index.ts";
import type { Access, Granted, Refused } from "./access.ts";
import { type Io, type Item, Metadata } from "./metadata.ts";
import { type Temporary, temporaryOf } from "./temporary.ts";
import { readTokenFile } from "./token-file.ts";

/** Renewed so long before they end; ACK and the metadata service have new ones by then. */
const MARGIN_MS = 10 * 60_000;
const ROLES = "ram/security-credentials/";
const OWN = "give `access_key_id` and `access_key_secret`";

export interface Instance {
  readonly tokenFile: string;
  readonly metadataService: string;
  /** What the role has to allow: `log:PostLogStoreLogs`. */
  readonly action: string;
  /** `null`: the instance's own is asked for. */
  readonly region: string | null;
  readonly account: string | null;
}

type Ask = (path: string) => Promise<Item>;

/** The temporary credentials of an addon of ACK or of an instance's RAM role: asked for once, however many wait, and kept while they are good. */
export class RoleAccess implements Access {
  readonly #instance: Instance;
  readonly #io: Io;
  readonly #metadata: Metadata;
  readonly #closing = new AbortController();
  #kept: { readonly granted: Granted; readonly until: number } | null = null;
  #asking: Promise<Granted | Refused> | null = null;
  /** An instance moves to no other region and account. */
  #place: { readonly region: string; readonly account: string } | null = null;

  constructor(instance: Instance, io: Io) {
    this.#instance = instance;
    this.#io = io;
    this.#metadata = new Metadata(instance.metadataService, io, this.#closing.signal);
  }

  async get(signal: AbortSignal): Promise<Granted | Refused> {
    const kept = this.#kept;
    if (kept !== null && this.#io.clock.now() < kept.until) return kept.granted;
    if (this.#closing.signal.aborted) return ended();
    const share = () => {
      // What is asked for belongs to all who wait for it: none of them may take it with him when he goes.
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = null;
      });
      return this.#asking;
    };
    return (await unlessAborted(share, signal)) ?? ended();
  }

  drop(key: AccessKey): boolean {
    // What has come in its place meanwhile stays.
    if (this.#kept?.granted.key.token === key.token) this.#kept = null;
    return true;
  }

  close(): void {
    this.#closing.abort();
    this.#kept = null;
  }

  async #ask(): Promise<Granted | Refused> {
    const asked = this.#io.clock.now();
    const { tokenFile, region, account } = this.#instance;
    const file = await readTokenFile(tokenFile);
    if (file !== null && "failure" in file) return passing(file.failure, OWN);
    this.#place ??= region === null || account === null ? null : { region, account };
    const ask: Ask = file !== null && this.#place !== null ? none : await this.#metadata.session();
    const from = file ?? (await this.#credentialsBy(ask));
    if ("verdict" in from) return from;
    const place = this.#place ?? (await this.#placeBy(ask));
    if ("verdict" in place) return place;
    this.#place = place;
    return this.#keep({ key: from.key, ...place }, from.expires, asked, file !== null);
  }

  #keep(granted: Granted, expires: number, asked: number, isFile: boolean): Granted | Refused {
    const lifeMs = expires - asked;
    if (lifeMs <= 0) {
      const whose = isFile
        ? `the addon's token in ${this.#instance.tokenFile}`
        : "what the metadata service gives for the RAM role";
      return passing(
        `${whose} ended at ${new Date(expires).toISOString()}, and it is ${new Date(asked).toISOString()} here`,
        isFile
          ? "look why ACK does not renew the Secret it is mounted from, or set this machine's clock"
          : "set this machine's clock",
      );
    }
    // What ends sooner than the margin is still good for half of that.
    this.#kept = { granted, until: asked + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) };
    return granted;
  }

  async #placeBy(ask: Ask): Promise<{ region: string; account: string } | Refused> {
    const region = this.#instance.region ?? (await item(ask, "region-id", REGION, "region_id"));
    if (typeof region !== "string") return region;
    const account =
      this.#instance.account ?? (await item(ask, "owner-account-id", /^\d{1,32}$/, "account_id"));
    return typeof account === "string" ? { region, account } : account;
  }

  async #credentialsBy(ask: Ask): Promise<Temporary | Refused> {
    const { action, metadataService } = this.#instance;
    const attach = `attach a RAM role with a policy that allows ${action} to the cluster's nodes, or ${OWN}`;
    const listed = await ask(ROLES);
    if ("failure" in listed)
      return passing(listed.failure, `${OWN} where this is no ECS instance`, "network");
    const [role = ""] = (listed.text ?? "").split("\n").map((line) => line.trim());
    if (role === "")
      return lasting(
        `no access key is given, and the metadata service at ${metadataService} has no RAM role for this instance`,
        attach,
      );
    // It becomes part of a path and of a message.
    if (!/^[\w.-]{1,64}$/.test(role))
      return passing(`the metadata service at ${metadataService} names no RAM role`, attach);
    const given = await ask(ROLES + role);
    if ("failure" in given) return passing(given.failure, OWN, "network");
    if (given.text === null)
      return lasting(`the metadata service has no credentials for the RAM role ${role}`, attach);
    return (
      credentialsIn(given.text) ??
      passing(
        `the metadata service's answer for the RAM role ${role} cannot be read; expected Code Success with AccessKeyId, AccessKeySecret, SecurityToken and Expiration`,
        OWN,
      )
    );
  }
}

const REGION = /^[a-z]{2}[a-z0-9-]{1,40}$/;

async function item(
  ask: Ask,
  path: string,
  form: RegExp,
  option: string,
): Promise<string | Refused> {
  const found = await ask(path);
  if ("failure" in found)
    return passing(
      found.failure,
      `${OWN}, and \`${option}\`, where this is no ECS instance`,
      "network",
    );
  if (found.text !== null && form.test(found.text)) return found.text;
  const said = found.text === null ? `has no ${path}` : `answers ${path} with something else`;
  return passing(`the metadata service ${said}`, `give \`${option}\``);
}

function credentialsIn(text: string): Temporary | null {
  try {
    const fields = fieldsOf(JSON.parse(text));
    if ((fields?.["Code"] ?? "Success") !== "Success") return null;
    const names = ["AccessKeyId", "AccessKeySecret", "SecurityToken"] as const;
    const [id, secret, token] = names.map((name) => fields?.[name]);
    return temporaryOf(id, secret, token, fields?.["Expiration"]);
  } catch {
    return null;
  }
}

function none(): Promise<Item> {
  return Promise.resolve({ text: null });
}

function ended(): Refused {
  return passing("ended while waiting for the RAM role's credentials", null, "network");
}

/** May be otherwise later: tried again. */
function passing(
  message: string,
  hint: string | null,
  reason: "auth" | "network" = "auth",
): Refused {
  const detail = hint === null ? message : `${message}; ${hint}`;
  return { verdict: { kind: "retryable", reason, detail }, problem: { message, hint } };
}

/** Only a person changes it. */
function lasting(message: string, hint: string): Refused {
  const detail = `${message}; ${hint}`;
  return { verdict: { kind: "permanent", reason: "auth", detail }, problem: { message, hint } };
}
