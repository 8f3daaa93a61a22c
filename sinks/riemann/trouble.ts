import {
  retryable,
  type SinkProblem,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import { FileError, ProtocolError, type Target } from "./connection.ts";

/** What an error on the way to the server means: all of it may pass, but for a file that is not there. */
export function troubleOf(
  error: unknown,
  { address }: Target,
): { readonly verdict: Verdict; readonly problem: SinkProblem | null } {
  if (error instanceof FileError) {
    const hint = "mount the file, or mend its path";
    return {
      verdict: retryable("tls", error.message),
      problem: { message: error.message, hint },
    };
  }
  const where = `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  if (error instanceof ProtocolError)
    return away(
      retryable(
        "server",
        `${where}: ${error.message}; expected its TCP port, 5555, or 5554 with TLS`,
      ),
    );
  const verdict = transportVerdict(error);
  if (verdict.kind !== "retryable") return away(verdict);
  if (verdict.reason !== "tls") return away({ ...verdict, detail: `${where}: ${verdict.detail}` });
  const code = /\(([A-Z0-9_]+)\)/.exec(verdict.detail)?.[1] ?? "TLS";
  const next = /ALERT|HANDSHAKE/.test(code)
    ? "the server refused the connection: it may want a client certificate that its CA signed, give cert and key"
    : /WRONG_VERSION|PACKET_LENGTH|RECORD/.test(code)
      ? "nobody speaks TLS there; write tcp:// in place of tls://"
      : "its certificate is not trusted, give ca";
  return away(retryable("tls", `${where}: ${next} (${code})`));
}

function away(verdict: Verdict) {
  return { verdict, problem: null };
}
