import { readFile } from "node:fs/promises";
import type { MongoClient } from "mongodb";
import { adapted } from "./uri.ts";

/** The one door of the driver: everything else here speaks of documents and `MongoTrouble`. */

/** What the driver or the server said. */
export class MongoTrouble extends Error {
  /** The driver's name of it: `MongoServerSelectionError`. */
  readonly kind: string;
  /** The server's number; `null`: the server did not say it. */
  readonly code: number | null;
  /** Node's code, of a network, a certificate or a file: `ECONNREFUSED`. */
  readonly system: string | null;

  constructor(kind: string, code: number | null, message: string, system: string | null = null) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.system = system;
  }
}

export type Document = Readonly<Record<string, unknown>> & { readonly _id: string };

/** https://www.mongodb.com/docs/manual/reference/command/connectionStatus/ */
export interface Privilege {
  readonly resource?: {
    readonly db?: string;
    readonly collection?: string;
    readonly anyResource?: boolean;
  };
  readonly actions?: readonly string[];
}

export interface Collection {
  /**
   * Each on its own: what is wrong with one, by its index, keeps no other out. Rejects with `MongoTrouble`, which is about all: any of them may
   * have been written.
   */
  insert(documents: readonly Document[]): Promise<ReadonlyMap<number, MongoTrouble>>;
  /** What the user may do, where the server says it; logs in. Rejects with `MongoTrouble`. */
  privileges(): Promise<readonly Privilege[] | null>;
  /** Whether the server lets whoever we are look. Rejects with `MongoTrouble`. */
  look(): Promise<void>;
  /** Ends what is under way, too. */
  close(): Promise<void>;
}

export interface Place {
  readonly uri: string;
  readonly database: string;
  readonly collection: string;
}

/** Connects when it is first asked something. Rejects with `MongoTrouble` where the connection string or a file it names cannot be read. */
export async function openCollection(place: Place, timeoutMs: number): Promise<Collection> {
  // Only those who have such a sink load the driver.
  const { default: library } = await import("mongodb");
  const { MongoClient: Client, MongoBulkWriteError } = library;
  const client: MongoClient = await translated(async () => {
    const { uri, certificate, key, namesApp } = adapted(place.uri);
    return new Client(uri, {
      ...(namesApp ? {} : { appName: "kube-crier" }),
      ...(certificate === null ? {} : { cert: await readFile(certificate) }),
      ...(key === null ? {} : { key: await readFile(key) }),
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      // One insert at a time, and a look beside it.
      maxPoolSize: 2,
    });
  });
  const database = client.db(place.database);
  const collection = database.collection<Document>(place.collection);
  return {
    async insert(documents) {
      try {
        await collection.insertMany([...documents], { ordered: false });
        return new Map();
      } catch (error) {
        if (!(error instanceof MongoBulkWriteError)) throw trouble(error);
        // What kept the whole from being sent: the driver keeps its words alone.
        if (error.code === undefined && [error.writeErrors].flat().length === 0)
          throw new MongoTrouble("MongoNetworkError", null, error.message);
        const unconfirmed = error.result.getWriteConcernError();
        const refused = [error.writeErrors].flat();
        if (unconfirmed !== undefined)
          throw new MongoTrouble(
            "MongoWriteConcernError",
            unconfirmed.code ?? null,
            unconfirmed.errmsg ?? "",
          );
        // The driver parts what is too long for the server and stops where a part fails as a whole.
        if (error.insertedCount + refused.length !== documents.length) throw trouble(error);
        return new Map(
          refused.map(({ index, code, errmsg }) => [
            index,
            new MongoTrouble("WriteError", code, errmsg ?? ""),
          ]),
        );
      }
    },
    privileges: () =>
      translated(async () => {
        const { authInfo } = (await database.command({
          connectionStatus: 1,
          showPrivileges: true,
        })) as { readonly authInfo?: AuthInfo };
        const users = authInfo?.authenticatedUsers ?? [];
        return users.length === 0 ? null : (authInfo?.authenticatedUserPrivileges ?? null);
      }),
    look: () => translated(async () => void (await collection.findOne({ _id: "" }))),
    close: () => client.close().catch(() => undefined),
  };
}

interface AuthInfo {
  readonly authenticatedUsers?: readonly unknown[];
  readonly authenticatedUserPrivileges?: readonly Privilege[];
}

async function translated<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw trouble(error);
  }
}

function trouble(error: unknown): MongoTrouble {
  if (!(error instanceof Error)) return new MongoTrouble(typeof error, null, "");
  const { code } = error as { readonly code?: unknown };
  const number = typeof code === "number" ? code : null;
  return new MongoTrouble(error.name, number, error.message, systemCodeOf(error));
}

/** Node's own code, which the driver keeps as the cause of the cause. */
function systemCodeOf(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    const { code, cause } = current as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === "string") return code;
    current = cause;
  }
  return null;
}
