// Written by `npm run gen` from the definitions in this folder; do not edit.
import type { SinkDefinition } from "../src/sink/index.ts";
import dingtalk from "./dingtalk.ts";
import elasticsearch from "./elasticsearch.ts";
import eventbridge from "./eventbridge.ts";
import honeycomb from "./honeycomb.ts";
import influxdb from "./influxdb.ts";
import kafka from "./kafka.ts";
import lark from "./lark.ts";
import log from "./log.ts";
import mongo from "./mongo.ts";
import mysql from "./mysql.ts";
import riemann from "./riemann.ts";
import slack from "./slack.ts";
import sls from "./sls.ts";
import stdout from "./stdout.ts";
import webhook from "./webhook.ts";
import wechat from "./wechat.ts";
import wecom from "./wecom.ts";

/** Every sink there is, sorted by type. */
export const sinks: readonly SinkDefinition[] = [dingtalk, elasticsearch, eventbridge, honeycomb, influxdb, kafka, lark, log, mongo, mysql, riemann, slack, sls, stdout, webhook, wechat, wecom];

/** The sink of a type, or `undefined`. */
export function sinkOf(type: string): SinkDefinition | undefined {
  return sinks.find((sink) => sink.type === type);
}
