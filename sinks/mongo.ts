import { defineSink, s } from "../src/sink/index.ts";
import { adapted, IDLE, normalUri, PARAMETERS } from "./mongo/uri.ts";
import { MOST, Writer } from "./mongo/writer.ts";

/** https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions */
const name = (description: string, fallback: string) =>
  s
    .text({ description })
    .regex(/^[^\s$."\\/\0]{1,60}$/, "is no name; expected letters, digits, - and _")
    .default(fallback);

export default defineSink({
  type: "mongo",
  title: "MongoDB",
  summary:
    "A collection in MongoDB: one document for each occurrence, with kube-eventer's fields, in batches, written once.",
  docs: "https://www.mongodb.com/docs/manual/reference/connection-string/",
  facts: {
    kind: "database",
    auth: "SCRAM-SHA-256, SCRAM-SHA-1, X.509; TLS with CA and client certificate",
    idempotency: "`_id` of the event's UID and version: written once",
    batch: "256 documents an insert; a verdict for each",
    testedAgainst: "FerretDB, which speaks MongoDB's wire protocol: SCRAM, TLS, client certificate",
  },
  options: s.object({
    uri: s.secretForm(
      {
        description:
          "The connection string; how to log in, TLS with its files and the write concern stand in it (`authMechanism=`, `tls=true`, `tlsCAFile=`, `tlsCertificateKeyFile=`, or `tlsCertificateFile=` and `tlsPrivateKeyFile=`, `w=`).",
        example: "mongodb://crier:…@db.example.com:27017/?authSource=admin&tls=true",
      },
      normalUri,
    ),
    database: name("The database.", "k8s"),
    collection: name("The collection; the server creates it.", "event"),
  }),
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "uri", keep: PARAMETERS, ignored: IDLE, rawQuery: true },
  example: {
    uri: "mongo:?mongodb://crier:fedcba9876543210@db.example.com:27017/?authSource=admin&tls=true",
    yaml: {
      uri: "mongodb://crier:fedcba9876543210@db.example.com:27017/?authSource=admin&tls=true",
    },
  },
  // Documents are the event's own words.
  blocks: () => ({}),
  limits: () => ({ rates: [], concurrency: MOST, body: null, blocks: {}, throttledMs: 5000 }),
  create: ({ uri, database, collection }, io) => {
    for (const note of adapted(uri.reveal()).notes) io.warning(note);
    return new Writer({ uri: uri.reveal(), database, collection }, io);
  },
});
