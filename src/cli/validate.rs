//! `signalbox validate FILE…`: checks resources in files against the profiles the binary carries; one line an issue.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use signalbox_validator::json::Document;

use crate::outcome::Issue;
use crate::validation::Validation;

#[derive(Args)]
pub(super) struct Validate {
    /// JSON files, each with one resource
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Validate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let validation = Validation::built_in()?;
        let mut out = std::io::stdout().lock();
        let mut valid = true;
        for file in &self.files {
            let issues = check(file, &validation);
            let errors = issues.iter().filter(|issue| issue.is_error()).count();
            valid &= errors == 0;
            for issue in &issues {
                let place = |number: Option<u32>| number.map(|number| format!(":{number}")).unwrap_or_default();
                let at = issue.expression.as_deref().map(|path| format!(" at {path}")).unwrap_or_default();
                let Issue { severity, code, message, line, column, .. } = issue;
                writeln!(
                    out,
                    "{}{}{}: {severity} {code}: {message}{at}",
                    file.display(),
                    place(*line),
                    place(*column)
                )?;
            }
            writeln!(
                out,
                "{}: {}",
                file.display(),
                if errors == 0 { "valid".to_owned() } else { format!("{errors} error(s)") }
            )?;
        }
        Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn check(file: &Path, validation: &Validation) -> Vec<Issue> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return vec![Issue::error("not-found", format!("the file cannot be read: {error}"))],
    };
    match Document::read(&bytes) {
        Ok(document) => validation.check(&document),
        Err(error) => {
            let message = format!("The file is not the JSON that FHIR asks for: {}.", error.kind);
            vec![Issue::error("structure", message).at(error.position.line, error.position.column)]
        }
    }
}
