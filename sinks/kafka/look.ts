import { faultOf } from "./fault.ts";
import type { Admin, Library } from "./library.ts";

export interface Look {
  readonly topic: boolean;
  /** Whether the brokers make a topic that is missing; `null` where they do not say. */
  readonly makesTopics: boolean | null;
}

const OPTION = "auto.create.topics.enable";

/** Whether the topic is there. Changes nothing: asked so, no broker makes it. */
export async function lookAt(library: Library, admin: Admin, topic: string): Promise<Look> {
  try {
    await admin.connect();
    return (await isThere(admin, topic))
      ? { topic: true, makesTopics: null }
      : { topic: false, makesTopics: await makesTopics(library, admin) };
  } finally {
    await admin.disconnect();
  }
}

async function isThere(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return true;
  } catch (error) {
    if (faultOf(error).type === "UNKNOWN_TOPIC_OR_PARTITION") return false;
    throw error;
  }
}

async function makesTopics(library: Library, admin: Admin): Promise<boolean | null> {
  const [broker] = (await admin.describeCluster()).brokers;
  const resource = {
    type: library.ConfigResourceTypes.BROKER,
    name: String(broker?.nodeId ?? ""),
    configNames: [OPTION],
  };
  const { resources } = await admin
    .describeConfigs({ includeSynonyms: false, resources: [resource] })
    // Not everybody may ask that.
    .catch(() => ({ resources: [] }));
  const entry = resources[0]?.configEntries.find(({ configName }) => configName === OPTION);
  return entry === undefined ? null : entry.configValue === "true";
}
