/**
 * core/v1 Event of k8s.io/api v0.34 as Go's reflection lists it: `Field Type json`, an embedded field with `^` before it, and
 * methods as `Name(parameters)(results)`, those of the pointer with `*` before them.
 */
export interface Described {
  readonly name: string;
  readonly kind: "struct" | "string" | "int" | "int64" | "interface";
  readonly fields?: string;
  readonly methods?: string;
}

const PROTO =
  "*Descriptor()([]uint8,[]int); *Marshal()([]uint8,error); *MarshalTo([]uint8)(int,error); *MarshalToSizedBuffer([]uint8)(int,error); *ProtoMessage()(); *Reset()(); *Size()(int); *Unmarshal([]uint8)(error); *XXX_DiscardUnknown()(); *XXX_Marshal([]uint8,bool)([]uint8,error); *XXX_Merge(proto.Message)(); *XXX_Size()(int); *XXX_Unmarshal([]uint8)(error)";

const TIME =
  "Add(time.Duration)(time.Time); AddDate(int,int,int)(time.Time); After(time.Time)(bool); AppendBinary([]uint8)([]uint8,error); AppendFormat([]uint8,string)([]uint8); AppendText([]uint8)([]uint8,error); Before(time.Time)(bool); Clock()(int,int,int); Compare(time.Time)(int); Date()(int,time.Month,int); Day()(int); Equal(time.Time)(bool); Format(string)(string); GoString()(string); *GobDecode([]uint8)(error); GobEncode()([]uint8,error); Hour()(int); ISOWeek()(int,int); In(*time.Location)(time.Time); IsDST()(bool); IsZero()(bool); Local()(time.Time); Location()(*time.Location); MarshalBinary()([]uint8,error); MarshalJSON()([]uint8,error); MarshalText()([]uint8,error); Minute()(int); Month()(time.Month); Nanosecond()(int); Round(time.Duration)(time.Time); Second()(int); String()(string); Sub(time.Time)(time.Duration); Truncate(time.Duration)(time.Time); UTC()(time.Time); Unix()(int64); UnixMicro()(int64); UnixMilli()(int64); UnixNano()(int64); *UnmarshalBinary([]uint8)(error); *UnmarshalJSON([]uint8)(error); *UnmarshalText([]uint8)(error); Weekday()(time.Weekday); Year()(int); YearDay()(int); Zone()(string,int); ZoneBounds()(time.Time,time.Time)";

const META =
  "*GetAnnotations()(map[string]string); *GetCreationTimestamp()(v1.Time); *GetDeletionGracePeriodSeconds()(*int64); *GetDeletionTimestamp()(*v1.Time); *GetFinalizers()([]string); *GetGenerateName()(string); *GetGeneration()(int64); *GetLabels()(map[string]string); *GetManagedFields()([]v1.ManagedFieldsEntry); *GetName()(string); *GetNamespace()(string); *GetObjectMeta()(v1.Object); *GetOwnerReferences()([]v1.OwnerReference); *GetResourceVersion()(string); *GetSelfLink()(string); *GetUID()(types.UID); *SetAnnotations(map[string]string)(); *SetCreationTimestamp(v1.Time)(); *SetDeletionGracePeriodSeconds(*int64)(); *SetDeletionTimestamp(*v1.Time)(); *SetFinalizers([]string)(); *SetGenerateName(string)(); *SetGeneration(int64)(); *SetLabels(map[string]string)(); *SetManagedFields([]v1.ManagedFieldsEntry)(); *SetName(string)(); *SetNamespace(string)(); *SetOwnerReferences([]v1.OwnerReference)(); *SetResourceVersion(string)(); *SetSelfLink(string)(); *SetUID(types.UID)()";

const TYPE =
  "*GetObjectKind()(schema.ObjectKind); *GroupVersionKind()(schema.GroupVersionKind); *SetGroupVersionKind(schema.GroupVersionKind)()";

export const DESCRIBED: readonly Described[] = [
  {
    name: "v1.Event",
    kind: "struct",
    fields:
      "^TypeMeta v1.TypeMeta; ^ObjectMeta v1.ObjectMeta metadata; InvolvedObject v1.ObjectReference involvedObject; Reason string reason; Message string message; Source v1.EventSource source; FirstTimestamp v1.Time firstTimestamp; LastTimestamp v1.Time lastTimestamp; Count int32 count; Type string type; EventTime v1.MicroTime eventTime; Series *v1.EventSeries series; Action string action; Related *v1.ObjectReference related; ReportingController string reportingComponent; ReportingInstance string reportingInstance",
    methods: `${PROTO}; ${META}; ${TYPE}; *APILifecycleIntroduced()(int,int); *DeepCopy()(*v1.Event); *DeepCopyInto(*v1.Event)(); *DeepCopyObject()(runtime.Object); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.EventSeries",
    kind: "struct",
    fields: "Count int32 count; LastObservedTime v1.MicroTime lastObservedTime",
    methods: `${PROTO}; *DeepCopy()(*v1.EventSeries); *DeepCopyInto(*v1.EventSeries)(); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.EventSource",
    kind: "struct",
    fields: "Component string component; Host string host",
    methods: `${PROTO}; *DeepCopy()(*v1.EventSource); *DeepCopyInto(*v1.EventSource)(); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.ObjectReference",
    kind: "struct",
    fields:
      "Kind string kind; Namespace string namespace; Name string name; UID types.UID uid; APIVersion string apiVersion; ResourceVersion string resourceVersion; FieldPath string fieldPath",
    methods: `${PROTO}; ${TYPE}; *DeepCopy()(*v1.ObjectReference); *DeepCopyInto(*v1.ObjectReference)(); *DeepCopyObject()(runtime.Object); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.TypeMeta",
    kind: "struct",
    fields: "Kind string kind; APIVersion string apiVersion",
    methods: `${PROTO}; ${TYPE}; *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.ObjectMeta",
    kind: "struct",
    fields:
      "Name string name; GenerateName string generateName; Namespace string namespace; SelfLink string selfLink; UID types.UID uid; ResourceVersion string resourceVersion; Generation int64 generation; CreationTimestamp v1.Time creationTimestamp; DeletionTimestamp *v1.Time deletionTimestamp; DeletionGracePeriodSeconds *int64 deletionGracePeriodSeconds; Labels map[string]string labels; Annotations map[string]string annotations; OwnerReferences []v1.OwnerReference ownerReferences; Finalizers []string finalizers; ManagedFields []v1.ManagedFieldsEntry managedFields",
    methods: `${PROTO}; ${META}; *DeepCopy()(*v1.ObjectMeta); *DeepCopyInto(*v1.ObjectMeta)(); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.OwnerReference",
    kind: "struct",
    fields:
      "APIVersion string apiVersion; Kind string kind; Name string name; UID types.UID uid; Controller *bool controller; BlockOwnerDeletion *bool blockOwnerDeletion",
    methods: `${PROTO}; *DeepCopy()(*v1.OwnerReference); *DeepCopyInto(*v1.OwnerReference)(); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.ManagedFieldsEntry",
    kind: "struct",
    fields:
      "Manager string manager; Operation v1.ManagedFieldsOperationType operation; APIVersion string apiVersion; Time *v1.Time time; FieldsType string fieldsType; FieldsV1 *v1.FieldsV1 fieldsV1; Subresource string subresource",
    methods: `${PROTO}; *DeepCopy()(*v1.ManagedFieldsEntry); *DeepCopyInto(*v1.ManagedFieldsEntry)(); *String()(string); SwaggerDoc()(map[string]string)`,
  },
  {
    name: "v1.FieldsV1",
    kind: "struct",
    fields: "Raw []uint8 -",
    methods: `${PROTO}; *DeepCopy()(*v1.FieldsV1); *DeepCopyInto(*v1.FieldsV1)(); MarshalCBOR()([]uint8,error); MarshalJSON()([]uint8,error); String()(string); SwaggerDoc()(map[string]string); *UnmarshalCBOR([]uint8)(error); *UnmarshalJSON([]uint8)(error)`,
  },
  {
    name: "v1.Time",
    kind: "struct",
    fields: "^Time time.Time",
    methods: `${PROTO}; ${TIME}; *Before(*v1.Time)(bool); *DeepCopy()(*v1.Time); *DeepCopyInto(*v1.Time)(); *Equal(*v1.Time)(bool); *IsZero()(bool); MarshalCBOR()([]uint8,error); MarshalQueryParameter()(string,error); OpenAPISchemaFormat()(string); OpenAPISchemaType()([]string); *ProtoTime()(*v1.Timestamp); *RandFill(*rand.Rand)(); Rfc3339Copy()(v1.Time); ToUnstructured()(interface {}); *UnmarshalCBOR([]uint8)(error); *UnmarshalQueryParameter(string)(error)`,
  },
  {
    name: "v1.MicroTime",
    kind: "struct",
    fields: "^Time time.Time",
    methods: `${PROTO}; ${TIME}; *Before(*v1.MicroTime)(bool); *BeforeTime(*v1.Time)(bool); *DeepCopy()(*v1.MicroTime); *DeepCopyInto(*v1.MicroTime)(); *Equal(*v1.MicroTime)(bool); *EqualTime(*v1.Time)(bool); *IsZero()(bool); MarshalCBOR()([]uint8,error); MarshalQueryParameter()(string,error); OpenAPISchemaFormat()(string); OpenAPISchemaType()([]string); *ProtoMicroTime()(*v1.Timestamp); *RandFill(*rand.Rand)(); *UnmarshalCBOR([]uint8)(error); *UnmarshalQueryParameter(string)(error)`,
  },
  {
    name: "v1.Timestamp",
    kind: "struct",
    fields: "Seconds int64 seconds; Nanos int32 nanos",
    methods: `${PROTO}; *DeepCopy()(*v1.Timestamp); *DeepCopyInto(*v1.Timestamp)(); *String()(string)`,
  },
  {
    name: "time.Time",
    kind: "struct",
    fields: "wall uint64; ext int64; loc *time.Location",
    methods: TIME,
  },
  {
    name: "time.Location",
    kind: "struct",
    fields:
      "name string; zone []time.zone; tx []time.zoneTrans; extend string; cacheStart int64; cacheEnd int64; cacheZone *time.zone",
    methods: "*String()(string)",
  },
  {
    name: "schema.GroupVersionKind",
    kind: "struct",
    fields: "Group string; Version string; Kind string",
    methods:
      "Empty()(bool); GroupKind()(schema.GroupKind); GroupVersion()(schema.GroupVersion); String()(string); ToAPIVersionAndKind()(string,string)",
  },
  {
    name: "schema.GroupVersion",
    kind: "struct",
    fields: "Group string; Version string",
    methods:
      "Empty()(bool); Identifier()(string); KindForGroupVersionKinds([]schema.GroupVersionKind)(schema.GroupVersionKind,bool); String()(string); WithKind(string)(schema.GroupVersionKind); WithResource(string)(schema.GroupVersionResource)",
  },
  {
    name: "schema.GroupKind",
    kind: "struct",
    fields: "Group string; Kind string",
    methods: "Empty()(bool); String()(string); WithVersion(string)(schema.GroupVersionKind)",
  },
  {
    name: "schema.GroupVersionResource",
    kind: "struct",
    fields: "Group string; Version string; Resource string",
    methods:
      "Empty()(bool); GroupResource()(schema.GroupResource); GroupVersion()(schema.GroupVersion); String()(string)",
  },
  {
    name: "types.UID",
    kind: "string",
  },
  {
    name: "v1.ManagedFieldsOperationType",
    kind: "string",
  },
  {
    name: "time.Duration",
    kind: "int64",
    methods:
      "Abs()(time.Duration); Hours()(float64); Microseconds()(int64); Milliseconds()(int64); Minutes()(float64); Nanoseconds()(int64); Round(time.Duration)(time.Duration); Seconds()(float64); String()(string); Truncate(time.Duration)(time.Duration)",
  },
  {
    name: "time.Month",
    kind: "int",
    methods: "String()(string)",
  },
  {
    name: "time.Weekday",
    kind: "int",
    methods: "String()(string)",
  },
];
