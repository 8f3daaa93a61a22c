import { createDecipheriv } from "node:crypto";
import { open } from "node:fs/promises";
import { codeOf, fieldsOf } from "../../src/sink/index.ts";
import { type Temporary, temporaryOf } from "./temporary.ts";

const MOST = 64 * 1024;
const IV_BYTES = 16;

/**
 * The token that ACK gives to an addon, mounted from the Secret `addon.log.token`: JSON whose values are AES-CBC under `keyring`, each with
 * its initialisation vector before it, in base64. `null`: there is no such file.
 */
export async function readTokenFile(
  path: string,
): Promise<Temporary | { readonly failure: string } | null> {
  let text: string;
  try {
    text = await start(path);
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code);
    // `ENOTDIR`: something else stands where its folder would.
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    return { failure: `the addon's token in ${path} cannot be read (${code})` };
  }
  return (
    decoded(text) ?? {
      failure: `the addon's token in ${path} cannot be decoded; expected JSON with access.key.id, access.key.secret, security.token, expiration and keyring`,
    }
  );
}

async function start(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

function decoded(text: string): Temporary | null {
  try {
    const fields = fieldsOf(JSON.parse(text));
    const keyring = Buffer.from(codeOf(fields?.["keyring"]) ?? "", "utf8");
    const plain = (name: string) => decrypted(codeOf(fields?.[name]) ?? "", keyring);
    return temporaryOf(
      plain("access.key.id"),
      plain("access.key.secret"),
      plain("security.token"),
      fields?.["expiration"],
    );
  } catch {
    // Node's errors say what of it is wrong, and may quote it.
    return null;
  }
}

function decrypted(value: string, keyring: Buffer): string {
  const bytes = Buffer.from(value, "base64");
  const cipher = `aes-${keyring.length * 8}-cbc`;
  const decipher = createDecipheriv(cipher, keyring, bytes.subarray(0, IV_BYTES));
  return decipher.update(bytes.subarray(IV_BYTES), undefined, "utf8") + decipher.final("utf8");
}
