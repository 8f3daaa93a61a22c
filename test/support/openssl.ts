import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Authority {
  readonly ca: string;
  /** Key and certificate in one file, for 127.0.0.1. */
  readonly server: string;
  /** Of CN=crier. */
  readonly client: { readonly cert: string; readonly key: string };
}

/** A certificate authority for a day, a server's certificate and a client's, all in `dir`. */
export async function makeAuthority(dir: string): Promise<Authority> {
  const at = (name: string) => path.join(dir, name);
  const request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const made = (name: string) => ["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)];
  const signed = ["-x509", "-days", "1", "-CA", at("ca.crt"), "-CAkey", at("ca.key")];
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await run("openssl", [...request, "-x509", "-days", "1", "-subj", "/CN=test CA", ...made("ca")]);
  const names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const sign = (name: string, subject: string, more: readonly string[]) =>
    run("openssl", [...request, ...signed, "-subj", subject, ...more, ...leaf, ...made(name)]);
  await sign("server", "/CN=kafka", names);
  await sign("client", "/CN=crier", []);
  const pem = ["server.key", "server.crt"].map((name) => readFileSync(at(name), "utf8")).join("");
  writeFileSync(at("server.pem"), pem);
  return {
    ca: at("ca.crt"),
    server: at("server.pem"),
    client: { cert: at("client.crt"), key: at("client.key") },
  };
}
