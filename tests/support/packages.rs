//! FHIR packages of our own, made by the test that needs them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use signalbox_validator::Package;

/// What all canonicals of our packages begin with.
pub(crate) const GUIDES: &str = "https://guides.example.org";

/// Writes `NAME-VERSION.tgz` with these resources, for R4.
pub(crate) fn package(
    folder: &Path,
    (name, version): (&str, &str),
    dependencies: &[(&str, &str)],
    resources: &[Value],
) -> PathBuf {
    let dependencies: serde_json::Map<String, Value> =
        dependencies.iter().map(|(name, version)| ((*name).to_owned(), json!(version))).collect();
    let manifest = json!({ "name": name, "version": version, "fhirVersions": ["4.0.1"], "dependencies": dependencies });
    archive(folder, &format!("{name}-{version}.tgz"), &manifest, resources)
}

/// Writes a package with this manifest.
pub(crate) fn archive(folder: &Path, file: &str, manifest: &Value, resources: &[Value]) -> PathBuf {
    let mut files = vec![("package.json".to_owned(), manifest.to_string().into_bytes())];
    files.extend(
        (0..).zip(resources).map(|(at, resource): (u32, _)| (format!("{at}.json"), resource.to_string().into_bytes())),
    );
    let path = folder.join(file);
    std::fs::write(&path, Package::archive(files).unwrap()).unwrap();
    path
}

/// A profile `NAME` of a type or of another of our profiles, with these elements.
pub(crate) fn profile(name: &str, version: &str, (kind, base): (&str, &str), elements: &[Value]) -> Value {
    let root = json!({ "id": kind, "path": kind });
    let elements: Vec<&Value> = std::iter::once(&root).chain(elements).collect();
    json!({
        "resourceType": "StructureDefinition", "url": format!("{GUIDES}/StructureDefinition/{name}"), "version": version,
        "name": name, "status": "active", "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": kind,
        "baseDefinition": base, "derivation": "constraint", "differential": { "element": elements },
    })
}

/// `element("Patient.name", {"min": 1})`: the element of a differential.
pub(crate) fn element(id: &str, facts: Value) -> Value {
    let path: Vec<&str> = id.split('.').map(|part| part.split(':').next().unwrap()).collect();
    let mut element = json!({ "id": id, "path": path.join(".") });
    if let (Some(element), Value::Object(facts)) = (element.as_object_mut(), facts) {
        element.extend(facts);
    }
    element
}

/// A code system with these codes.
pub(crate) fn code_system(name: &str, codes: &[(&str, &str)]) -> Value {
    let concepts: Vec<Value> =
        codes.iter().map(|(code, display)| json!({ "code": code, "display": display })).collect();
    json!({ "resourceType": "CodeSystem", "url": format!("{GUIDES}/CodeSystem/{name}"), "status": "active",
        "content": "complete", "concept": concepts })
}

/// A value set of all codes of one of our systems, and of these of others.
pub(crate) fn value_set(name: &str, system: &str, codes: &[&str]) -> Value {
    let listed: Vec<Value> = codes.iter().map(|code| json!({ "code": code })).collect();
    let mut include = vec![json!({ "system": format!("{GUIDES}/CodeSystem/{system}") })];
    if !listed.is_empty() {
        include.push(json!({ "system": "http://hl7.org/fhir/administrative-gender", "concept": listed }));
    }
    json!({ "resourceType": "ValueSet", "url": format!("{GUIDES}/ValueSet/{name}"), "status": "active",
        "compose": { "include": include } })
}
