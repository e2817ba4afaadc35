//! Elements of a resource as FHIR names them: lists flattened, [choices](https://hl7.org/fhir/R4/formats.html#choice)
//! by their base name, and the types that a document tells by itself.

use signalbox_validator::json::{Kind, Value};

/// The elements of this name; for a choice such as `value[x]`, the one that is there.
pub(super) fn elements<'d>(node: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    let found = node.get(name).or_else(|| {
        let mut members = (node.kind() == Kind::Object).then(|| node.children()).into_iter().flatten();
        members.find(|member| choice_type(*member).is_some_and(|(base, _)| base == name))
    });
    let (single, list) = match found {
        Some(array) if array.kind() == Kind::Array => (None, Some(array)),
        single => (single, None),
    };
    single.into_iter().chain(list.into_iter().flat_map(Value::items)).filter(|value| value.kind() != Kind::Null)
}

/// `valueQuantity` -> (`value`, `Quantity`), for the types that occur in choices; a choice never repeats.
fn choice_type(member: Value<'_>) -> Option<(String, &'static str)> {
    let key = member.key().filter(|_| member.kind() != Kind::Array)?;
    let types = CHOICE_TYPES.iter().filter_map(|name| Some((key.strip_suffix(name)?, *name)));
    let (base, name) = types.filter(|(base, _)| !base.is_empty()).min_by_key(|(base, _)| base.len())?;
    Some((base.to_owned(), name))
}

/// The types of [open choices](https://hl7.org/fhir/R4/datatypes.html#open), as they stand at the end of a name.
const CHOICE_TYPES: [&str; 50] = [
    "Base64Binary",
    "Boolean",
    "Canonical",
    "Code",
    "Date",
    "DateTime",
    "Decimal",
    "Id",
    "Instant",
    "Integer",
    "Markdown",
    "Oid",
    "PositiveInt",
    "String",
    "Time",
    "UnsignedInt",
    "Uri",
    "Url",
    "Uuid",
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "Count",
    "Distance",
    "Duration",
    "HumanName",
    "Identifier",
    "Money",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "SampledData",
    "Signature",
    "Timing",
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
    "Dosage",
    "Meta",
];

/// Whether this is a resource of this type.
pub(super) fn is_resource(node: Value<'_>, name: &str) -> bool {
    node.str_at(&["resourceType"]).is_some_and(|found| match name {
        "Resource" => true,
        "DomainResource" => !matches!(&*found, "Bundle" | "Binary" | "Parameters"),
        _ => found == name,
    })
}

/// Whether this is of this type, or of one that specialises it. `None`: the document tells the types of resources and
/// choices only.
pub(super) fn is_of_type(node: Value<'_>, name: &str) -> Option<bool> {
    if node.get("resourceType").is_some() {
        return Some(is_resource(node, name));
    }
    let (_, found) = choice_type(node)?;
    let special: &[&str] = match name {
        "string" => &["Code", "Id", "Markdown"],
        "uri" => &["Canonical", "Oid", "Url", "Uuid"],
        "integer" => &["PositiveInt", "UnsignedInt"],
        "Quantity" => &["Age", "Count", "Distance", "Duration"],
        _ => &[],
    };
    let (first, rest) = name.split_at_checked(1).unwrap_or_default();
    Some(special.contains(&found) || found == format!("{}{rest}", first.to_ascii_uppercase()))
}
