import { type Bytes, fromText } from "./bytes.ts";
import { bytesOf } from "./time-methods.ts";
import { EVENT } from "./registry.ts";
import { type GoTime, parseTime, type Zone } from "./time.ts";
import { Pointer, type Raw, type Type, Value, zeroOf } from "./types.ts";

/** An Event of the API as `*v1.Event`: times in a zone, what is absent or of another type as Go's zero value. */
export function eventValue(object: unknown, zone: Zone): Value {
  const { elem } = EVENT;
  return new Value(EVENT, elem === undefined ? null : new Pointer(decode(elem, object, zone)));
}

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function decode(type: Type, json: unknown, zone: Zone): Raw {
  const kind: string = type.kind;
  switch (kind) {
    case "string":
      return typeof json === "string" ? fromText(json) : "";
    case "bool":
      return json === true;
    case "int32":
    case "int64":
      return typeof json === "number" && Number.isInteger(json) ? BigInt(json) : 0n;
    case "ptr":
      return json === null || json === undefined || type.elem === undefined
        ? null
        : new Pointer(decode(type.elem, json, zone));
    case "slice": {
      const { elem } = type;
      return Array.isArray(json) && elem !== undefined
        ? json.map((item) => decode(elem, item, zone))
        : null;
    }
    case "map":
      return isRecord(json)
        ? new Map<Bytes, Raw>(
            Object.entries(json).map(([key, value]) => [
              fromText(key),
              typeof value === "string" ? fromText(value) : "",
            ]),
          )
        : null;
    case "struct":
      return decodeStruct(type, json, zone);
    default:
      return zeroOf(type);
  }
}

function decodeStruct(type: Type, json: unknown, zone: Zone): Raw {
  if (type.name === "v1.Time" || type.name === "v1.MicroTime") {
    const time: GoTime | null = typeof json === "string" ? parseTime(json, zone) : null;
    return time === null ? zeroOf(type) : { Time: time };
  }
  if (type.name === "v1.FieldsV1") {
    return { Raw: bytesOf(fromText(JSON.stringify(json))) };
  }
  const fields: Fields = isRecord(json) ? json : {};
  return Object.fromEntries(
    (type.fields ?? []).map(({ name, type: of, json: key }) => [
      name,
      decode(of, key === "" ? fields : own(fields, key), zone),
    ]),
  );
}

const own = (fields: Fields, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined;
