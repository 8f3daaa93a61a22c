import type { Bytes } from "./bytes.ts";
import { GoCallError } from "./error.ts";
import { protoString } from "./proto-string.ts";
import { addressOf, methodOf } from "./reflect.ts";
import {
  API_MICRO_TIME,
  API_TIME,
  isZeroTime,
  rfc3339Seconds,
  TIME_METHODS,
  TIME_PARTS,
  timeUnstructured,
} from "./time-methods.ts";
import { type GoTime, nanosOf, type Zone } from "./time.ts";
import { type Maybe, type Method, Pointer, type Raw, STRING, type Type, Value } from "./types.ts";
import { typeNamed } from "./registry.ts";

const NIL_DEREFERENCE = "runtime error: invalid memory address or nil pointer dereference";

type Fields = Readonly<Record<string, Raw>>;

/** What a method needs besides its receiver. */
export interface Surroundings {
  readonly local: Zone;
  /** `fmt.Sprint` of one value. */
  readonly print: (value: Value) => Bytes;
}

/** Calls a method that the value has. */
export function callMethod(
  value: Value,
  method: Method,
  args: readonly Maybe[],
  around: Surroundings,
): Maybe {
  const owner = value.type.kind === "ptr" ? value.type.elem : value.type;
  const self = value.type.kind === "ptr" ? ((value.raw as Pointer | null)?.to ?? null) : value.raw;
  const isNil = value.type.kind === "ptr" && value.raw === null;
  const raws = args.map((arg) => arg?.raw ?? null);
  const result =
    owner === undefined ? undefined : run(owner, method.name, self, isNil, raws, around);
  const type = method.results[0];
  if (result === undefined || type === undefined)
    throw new GoCallError(`the method ${method.name} is not available to templates of kube-crier`);
  return new Value(type, result);
}

function run(
  owner: Type,
  name: string,
  self: Raw,
  isNil: boolean,
  args: readonly Raw[],
  around: Surroundings,
): Raw | undefined {
  if (name === "DeepCopy") return isNil ? null : new Pointer(self);
  if (owner.name === "v1.Time" || owner.name === "v1.MicroTime")
    return apiTime(
      owner.name,
      name,
      isNil ? null : ((self as Fields)["Time"] as GoTime),
      args,
      around,
    );
  if (owner.name === "time.Time" || TIME_PARTS[owner.name] !== undefined) {
    if (isNil) throw new GoCallError(NIL_DEREFERENCE);
    if (owner.name === "time.Time") return TIME_METHODS[name]?.(self as GoTime, args, around.local);
    return TIME_PARTS[owner.name]?.[name]?.(self, args);
  }
  if (name === "String" && owner.name !== "v1.FieldsV1" && !owner.name.startsWith("schema."))
    return isNil ? "nil" : protoString(owner, self as Fields, around.print);
  if (isNil) throw new GoCallError(NIL_DEREFERENCE);
  return struct(owner, name, self as Fields, args);
}

/** What Go says of a value's method that is called by a pointer to none. */
function nilReceiver(owner: string, name: string): string {
  const type = owner.replace("v1.", "");
  return `value method k8s.io/apimachinery/pkg/apis/meta/v1.${type}.${name} called using nil *${type} pointer`;
}

/** metav1.Time and MicroTime: nil counts as no time, and another of their kind is taken by its pointer. */
function apiTime(
  owner: string,
  name: string,
  time: GoTime | null,
  args: readonly Raw[],
  around: Surroundings,
): Raw | undefined {
  const other = (
    args[0] instanceof Pointer ? (args[0].to as Fields)["Time"] : null
  ) as GoTime | null;
  switch (name) {
    case "IsZero":
      return time === null || isZeroTime(time);
    case "Before":
    case "BeforeTime":
      return time !== null && other !== null && nanosOf(time) < nanosOf(other);
    case "Equal":
    case "EqualTime":
      if (time === null || other === null) return time === other;
      return nanosOf(time) === nanosOf(other);
    default:
  }
  const own = owner === "v1.Time" ? API_TIME : API_MICRO_TIME;
  if (time === null) {
    const declared = own[name] !== undefined || /^(?:Rfc3339Copy|ToUnstructured)$/.test(name);
    throw new GoCallError(declared ? nilReceiver(owner, name) : NIL_DEREFERENCE);
  }
  if (name === "Rfc3339Copy") return { Time: rfc3339Seconds(time) };
  if (name === "ProtoTime" || name === "ProtoMicroTime")
    return new Pointer({
      Seconds: time.sec,
      Nanos: name === "ProtoTime" ? 0n : BigInt(time.nsec),
    });
  if (name === "ToUnstructured")
    return isZeroTime(time) ? null : new Value(STRING, timeUnstructured(time));
  return (own[name] ?? TIME_METHODS[name])?.(time, args, around.local);
}

const GETTER =
  /^Get(Annotations|CreationTimestamp|DeletionGracePeriodSeconds|DeletionTimestamp|Finalizers|GenerateName|Generation|Labels|ManagedFields|Name|Namespace|OwnerReferences|ResourceVersion|SelfLink|UID)$/;

function struct(owner: Type, name: string, self: Fields, args: readonly Raw[]): Raw | undefined {
  const meta = (owner.name === "v1.Event" ? self["ObjectMeta"] : self) as Fields;
  const getter = GETTER.exec(name)?.[1];
  if (getter !== undefined) return meta[getter];
  switch (name) {
    case "GetObjectMeta":
      return addressOf(new Value(typeNamed("v1.ObjectMeta"), meta));
    case "GetObjectKind":
      if (owner.name === "v1.ObjectReference") return addressOf(new Value(owner, self));
      return addressOf(new Value(typeNamed("v1.TypeMeta"), typeMetaOf(owner, self)));
    case "DeepCopyObject":
      return addressOf(new Value(owner, self));
    case "GroupVersionKind": {
      if (owner.name.startsWith("schema.")) return undefined;
      const { APIVersion, Kind } = typeMetaOf(owner, self) as { APIVersion: Bytes; Kind: Bytes };
      return { ...groupVersion(APIVersion), Kind };
    }
    default:
      return owner.name === "v1.FieldsV1"
        ? fieldsV1(name, self)
        : kinds(owner, name, self as unknown as Kinds, args[0] ?? null);
  }
}

const typeMetaOf = (owner: Type, self: Fields): Fields =>
  owner.name === "v1.Event" ? (self["TypeMeta"] as Fields) : self;

function groupVersion(apiVersion: Bytes): { Group: Bytes; Version: Bytes } {
  const parts = apiVersion.split("/");
  if (parts.length === 1) return { Group: "", Version: apiVersion };
  return parts.length === 2
    ? { Group: parts[0] ?? "", Version: parts[1] ?? "" }
    : { Group: "", Version: "" };
}

function fieldsV1(name: string, self: Fields): Raw | undefined {
  const raw = (self["Raw"] ?? []) as readonly bigint[];
  if (name === "String") return raw.map((byte) => String.fromCharCode(Number(byte))).join("");
  return name === "MarshalJSON" ? raw : undefined;
}

interface Kinds {
  readonly Group: Bytes;
  readonly Version: Bytes;
  readonly Kind: Bytes;
}

/** schema.GroupVersionKind and its parts. */
function kinds(owner: Type, name: string, self: Kinds, given: Raw): Raw | undefined {
  const { Group, Version, Kind } = self;
  const version = Group === "" ? Version : `${Group}/${Version}`;
  switch (`${owner.name}.${name}`) {
    case "schema.GroupVersionKind.String":
      return `${Group}/${Version}, Kind=${Kind}`;
    case "schema.GroupVersionKind.Empty":
      return Group === "" && Version === "" && Kind === "";
    case "schema.GroupVersionKind.GroupVersion":
      return { Group, Version };
    case "schema.GroupVersionKind.GroupKind":
      return { Group, Kind };
    case "schema.GroupVersion.String":
    case "schema.GroupVersion.Identifier":
      return version;
    case "schema.GroupVersion.WithKind":
      return { Group, Version, Kind: given };
    case "schema.GroupKind.WithVersion":
      return { Group, Version: given, Kind };
    case "schema.GroupVersion.Empty":
      return Group === "" && Version === "";
    case "schema.GroupKind.String":
      return Group === "" ? Kind : `${Kind}.${Group}`;
    case "schema.GroupKind.Empty":
      return Group === "" && Kind === "";
    default:
      return undefined;
  }
}

/** What a type's own words for itself are; `null` where it has none. Throws GoCallError where the method fails. */
export function ownWords(
  value: Value,
  name: "String" | "GoString",
  around: Surroundings,
): Bytes | null {
  const method = methodOf(new Value(value.type, value.raw), name);
  if (method === undefined || method.params.length > 0) return null;
  return callMethod(value, method, [], around)?.raw as Bytes;
}
