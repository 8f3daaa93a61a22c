import { createCipheriv } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { type Inbox, type Received, type Reply, startInbox } from "./inbox.ts";

/**
 * The metadata service of an ECS instance on a loopback port, as documented: www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
 * and .../obtain-a-temporary-authorization-token.
 */
export interface MetadataService {
  readonly url: string;
  readonly inbox: Inbox;
  /** `METHOD /path` of each request, in order. */
  readonly asked: () => readonly string[];
  /** What it gives from now on. */
  readonly gives: Given;
  close(): Promise<void>;
}

interface Given {
  /** `normal`: there is no hardened mode; `both`; `hardened`: a token is needed. */
  mode: "normal" | "both" | "hardened";
  /** `null`: none is attached. */
  role: string | null;
  key: Key;
  expires: string;
  /** Where the instance is; `null`: it does not say. */
  region: string | null;
  /** Instead of the credentials. */
  instead: Reply | null;
  /** Instead of a token. */
  noToken: Reply | null;
}

export interface Key {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
}

export const ROLE = "KubernetesWorkerRole-0a1b2c";
const TOKEN = "AQAAAmetadataToken==";
const BEFORE = "/latest/meta-data/";

export async function startMetadata(key: Key, changes: Partial<Given> = {}) {
  const inbox = await startInbox();
  const gives: Given = {
    mode: "both",
    role: ROLE,
    key,
    expires: "2026-11-20T14:05:31Z",
    region: "cn-hangzhou",
    instead: null,
    noToken: null,
    ...changes,
  };
  inbox.reply((request) => replyTo(request, gives));
  const service: MetadataService = {
    url: inbox.url,
    inbox,
    asked: () => inbox.requests.map(({ method, url }) => `${method} ${url}`),
    gives,
    close: () => inbox.close(),
  };
  onTestFinished(() => service.close());
  return service;
}

function replyTo({ method, url, headers }: Received, gives: Given): Reply {
  const { mode, role, key, expires } = gives;
  if (method === "PUT" && url === "/latest/api/token" && mode !== "normal") {
    if (gives.noToken !== null) return gives.noToken;
    const ttl = Number(headers["x-aliyun-ecs-metadata-token-ttl-seconds"]);
    return ttl >= 1 && ttl <= 21_600 ? { status: 200, body: TOKEN } : { status: 400 };
  }
  if (method !== "GET") return { status: 404, body: "404 - Not Found" };
  const token = headers["x-aliyun-ecs-metadata-token"];
  if (mode === "hardened" ? token !== TOKEN : token !== undefined && token !== TOKEN)
    return { status: 403, body: "403 - Forbidden" };
  const item = url.startsWith(BEFORE) ? url.slice(BEFORE.length) : "";
  if (item === "region-id" && gives.region !== null) return { status: 200, body: gives.region };
  if (item === "owner-account-id") return { status: 200, body: "1234567890123456" };
  if (role !== null && item === "ram/security-credentials/") return { status: 200, body: role };
  if (role !== null && item === `ram/security-credentials/${role}`)
    return (
      gives.instead ?? {
        status: 200,
        body: JSON.stringify({
          AccessKeyId: key.id,
          AccessKeySecret: key.secret,
          Expiration: expires,
          SecurityToken: key.token,
          LastUpdated: "2026-11-20T08:05:31Z",
          Code: "Success",
        }),
      }
    );
  return { status: 404, body: "404 - Not Found" };
}

/** A path that is no file. */
export const NO_FILE = path.join(tmpdir(), "no-such-folder", "token-config");

/** The file that ACK mounts for an addon: each value AES-CBC under the keyring, its vector before it, in base64. */
export function tokenFile(
  { id, secret, token }: Key,
  expiration: string,
  keyring = "0123456789abcdef",
): string {
  const sealed = (text: string) => {
    const iv = Buffer.from("an-initial-vec16");
    const cipher = createCipheriv(`aes-${keyring.length * 8}-cbc`, keyring, iv);
    return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final()]).toString("base64");
  };
  return fileOf(
    JSON.stringify({
      "access.key.id": sealed(id),
      "access.key.secret": sealed(secret),
      "security.token": sealed(token),
      expiration,
      keyring,
    }),
  );
}

export function fileOf(text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "addon-")), "token-config");
  writeFileSync(file, text);
  return file;
}
