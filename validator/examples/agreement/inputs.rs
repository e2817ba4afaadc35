//! What both validators are given.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

use super::Failure;
use super::mutants::Generator;

/// One resource to validate.
pub(crate) struct Input {
    pub(crate) name: String,
    /// What was done to it; the folder it is from, for one that nothing was done to.
    pub(crate) class: String,
    pub(crate) text: String,
    /// The profile it must meet besides those it names.
    pub(crate) profile: Option<String>,
}

/// The published UK Core examples, each against the UK Core profile of its type.
pub(crate) fn uk_core(shared: &Path) -> Result<Vec<Input>, Failure> {
    let mut inputs = folder(&shared.join("examples/uk-core"), "uk-core")?;
    for input in &mut inputs {
        let resource: Json = serde_json::from_str(&input.text)?;
        let name = resource["resourceType"].as_str().unwrap_or_default();
        input.profile = Some(format!("https://fhir.hl7.org.uk/StructureDefinition/UKCore-{name}"));
    }
    Ok(inputs)
}

/// Payloads published by NHS services.
pub(crate) fn nhs(shared: &Path) -> Result<Vec<Input>, Failure> {
    folder(&shared.join("examples/nhs"), "nhs")
}

/// Files that somebody names.
pub(crate) fn files(names: &[String]) -> Result<Vec<Input>, Failure> {
    names.iter().map(|name| input(Path::new(name), "file")).collect()
}

/// Mutants of all of these, and of the inputs of HL7's recorded cases.
pub(crate) fn mutants(set: &ProfileSet, shared: &Path, count: usize, seed: u64) -> Result<Vec<Input>, Failure> {
    let mut sources = uk_core(shared)?;
    sources.extend(nhs(shared)?);
    sources.extend(folder(&shared.join("validator-cases/files"), "cases")?);
    let mut read: Vec<(Input, Json)> = Vec::new();
    for source in sources {
        // Large ones would take most of the time.
        if let Ok(resource) = serde_json::from_str::<Json>(&source.text)
            && resource["resourceType"].is_string()
            && source.text.len() < 60_000
        {
            read.push((source, resource));
        }
    }
    made(set, seed, &read, count)
}

/// Mutants of the resources that were written for the frozen sample.
pub(crate) fn own(set: &ProfileSet) -> Result<Vec<Input>, Failure> {
    let sources = folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen/sources"), "own")?;
    let read = sources.into_iter().map(|source| {
        let resource = serde_json::from_str(&source.text)?;
        Ok((source, resource))
    });
    made(set, 7, &read.collect::<Result<Vec<_>, Failure>>()?, 360)
}

fn made(set: &ProfileSet, seed: u64, sources: &[(Input, Json)], count: usize) -> Result<Vec<Input>, Failure> {
    let mut generator = Generator::new(set, seed);
    let mut inputs = Vec::with_capacity(count);
    for (source, resource) in sources.iter().cycle().take(count * 4) {
        if inputs.len() == count {
            break;
        }
        let Some(mutant) = generator.mutant(resource) else { continue };
        inputs.push(Input {
            name: format!("{}#{}", source.name, inputs.len()),
            class: mutant.class.to_owned(),
            text: serde_json::to_string_pretty(&mutant.resource)?,
            profile: source.profile.clone(),
        });
    }
    Ok(inputs)
}

/// Writes inputs to a folder, to look at.
pub(crate) fn write(inputs: &[Input], folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for input in inputs {
        std::fs::write(folder.join(&input.name), &input.text)?;
    }
    Ok(())
}

/// The JSON files below a folder, in the order of their names.
fn folder(folder: &Path, class: &str) -> Result<Vec<Input>, Failure> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    paths.iter().filter(|path| !path.ends_with("manifest.json")).map(|path| input(path, class)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|end| end == "json") {
            paths.push(path);
        }
    }
    Ok(())
}

fn input(path: &Path, class: &str) -> Result<Input, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    Ok(Input { name, class: class.to_owned(), text, profile: None })
}
