//! HL7's recorded validation cases: an array of `{"name", "file", "profile_url", "supporting", "options", ...}` with the
//! files in the folder `files` beside it; see [HL7's cases](https://github.com/FHIR/fhir-test-cases).

use std::path::Path;

use serde_json::{Value, json};
use signalbox_validator::json::Document;
use signalbox_validator::{Issue, Options, ProfileSet, Severity};

const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");

/// What a case may fail with.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs of a suite, with what is loaded for several of them.
pub(crate) struct Suite<'f> {
    folder: &'f Path,
    base: ProfileSet,
}

impl<'f> Suite<'f> {
    /// `folder` is the one that the suite is in.
    pub(crate) fn new(folder: &'f Path) -> Result<Self, Failure> {
        Ok(Self { folder, base: ProfileSet::load(&[PACK])? })
    }

    /// What a run needs besides base R4: names of files.
    pub(crate) fn supporting(run: &Value) -> Vec<String> {
        let listed = run["supporting"].as_array().into_iter().flatten();
        let mut supporting: Vec<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        // The profile of a run need not be named among what supports it.
        if let Some(profile) = run["profile"].as_str().filter(|name| !supporting.iter().any(|known| known == name)) {
            supporting.push(profile.to_owned());
        }
        supporting
    }

    /// Base R4 with the conformance resources of a run.
    pub(crate) fn load(&self, supporting: &[String]) -> Result<ProfileSet, Failure> {
        let mut builder = ProfileSet::builder().pack(PACK);
        for name in supporting {
            let bytes = std::fs::read(self.folder.join("files").join(name))?;
            if Path::new(name).extension().is_some_and(|extension| extension == "tgz") {
                for (file, text) in signalbox_validator::Package::read(&bytes)?.definitions {
                    builder = builder.resource(file, text);
                }
            } else {
                builder = builder.resource(name.clone(), self.json(bytes)?);
            }
        }
        Ok(builder.build()?.0)
    }

    /// The JSON of a file that may be XML; an error says what is wrong with the text.
    fn json(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        if !bytes.trim_ascii_start().starts_with(b"<") {
            return Ok(bytes);
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
        self.base.json_of_xml(text).map(String::into_bytes).map_err(|error| error.to_string())
    }

    /// The issues of a run, as those of an `OperationOutcome`.
    pub(crate) fn issues(&self, run: &Value, set: &ProfileSet) -> Result<Vec<Value>, Failure> {
        let file = run["file"].as_str().ok_or("a run without a file")?;
        let bytes = match self.json(std::fs::read(self.folder.join("files").join(file))?) {
            Ok(bytes) => bytes,
            Err(message) => return Ok(vec![fatal(&message)]),
        };
        Ok(match Document::read(&bytes) {
            Ok(document) => set.validate_with(&document, &options(run)).iter().map(issue).collect(),
            Err(error) => {
                vec![fatal(&format!("[{},{}] {}", error.position.line, error.position.column, error.kind))]
            }
        })
    }
}

/// What the options of a run are here; those that only change how the reference validator reports have no meaning.
fn options(run: &Value) -> Options {
    let is_secure = run["options"]["security-checks"] == true;
    Options {
        profiles: run["profile_url"].as_str().map(str::to_owned).into_iter().collect(),
        unknown_extension: Severity::Error,
        // The reference validator asks the target of a reference for its type, and none of these can be asked.
        reference_by_url: Severity::Warning,
        targets_here: run["options"]["validateReference"] == "CHECK_EXISTS_AND_TYPE",
        embedded_html: if is_secure { Severity::Error } else { Severity::Information },
        ..Options::default()
    }
}

/// A text that cannot be read.
fn fatal(message: &str) -> Value {
    json!({ "severity": "fatal", "code": "invalid", "diagnostics": message })
}

fn issue(issue: &Issue) -> Value {
    json!({
        "severity": issue.severity.as_str(),
        "code": issue.code.as_str(),
        "diagnostics": format!("[{},{}] {}", issue.line, issue.column, issue.message),
        "expression": [issue.expression],
    })
}
