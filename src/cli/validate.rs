//! `signalbox validate PATH…`: checks resources against FHIR R4, the profiles they claim and those asked for; no network,
//! no database. Exit codes: 0 no error, 1 errors, 2 something could not be read.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use signalbox_validator::json::Document;

use super::{ConfigFolder, conformance};
use crate::outcome::{self, Issue};
use crate::validation::{Validation, packages};

#[derive(Args)]
pub(super) struct Validate {
    /// Files with one resource in JSON or XML, NDJSON files, folders; - is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Canonical of a profile that every resource must meet, besides those it claims; may be repeated
    #[arg(long, value_name = "URL")]
    profile: Vec<String>,
    /// A FHIR package (.tgz), a folder, a single conformance resource, or NAME@VERSION of signalbox.lock, to use as well;
    /// may be repeated
    #[arg(long, value_name = "FILE|DIR|NAME@VERSION")]
    package: Vec<String>,
    /// How to tell what was found
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Resources checked at once
    #[arg(short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    #[command(flatten)]
    config: ConfigFolder,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line an issue: file, line, column, severity, code, expression, sentence
    Human,
    /// An OperationOutcome a resource, one line each, in the order of the input
    Outcome,
}

/// One resource to check.
struct Input {
    name: String,
    /// The line of an NDJSON file that it stands in.
    line: Option<u32>,
    text: Vec<u8>,
}

impl Validate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let validation = conformance::load(&self.package, &self.config.config)?;
        let mut inputs = Vec::new();
        for path in &self.paths {
            read(path, &mut inputs)?;
        }
        let checked = self.check_all(&validation, &inputs);
        let mut out = std::io::stdout().lock();
        let mut errors = 0;
        for (input, issues) in inputs.iter().zip(&checked) {
            errors += issues.iter().filter(|issue| issue.is_error()).count();
            match self.format {
                Format::Outcome => writeln!(out, "{}", serde_json::to_string(&outcome::OperationOutcome(issues))?)?,
                Format::Human => tell(&mut out, input, issues)?,
            }
        }
        if self.format == Format::Human {
            writeln!(out, "{} resource(s), {errors} error(s)", inputs.len())?;
        }
        Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// The issues of each input, in their order.
    fn check_all(&self, validation: &Validation, inputs: &[Input]) -> Vec<Vec<Issue>> {
        let share = inputs.len().div_ceil(usize::from(self.jobs)).max(1);
        let profiles = &self.profile;
        std::thread::scope(|scope| {
            let check = |part: &[Input]| part.iter().map(|input| check(validation, profiles, &input.text)).collect();
            let parts: Vec<_> =
                inputs.chunks(share).map(|part| scope.spawn(move || -> Vec<_> { check(part) })).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }
}

fn read(path: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
    if path.is_dir() {
        for file in packages::files_below(path, &["json", "ndjson", "xml"]).map_err(|sentence| anyhow!(sentence))? {
            read(&file, inputs)?;
        }
        return Ok(());
    }
    let name = path.display().to_string();
    let text = if name == "-" {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).context("standard input cannot be read")?;
        text
    } else {
        std::fs::read(path).with_context(|| format!("{name} cannot be read"))?
    };
    if !is_ndjson(path, &text) {
        inputs.push(Input { name, line: None, text });
        return Ok(());
    }
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        if !line.trim_ascii().is_empty() {
            inputs.push(Input { name: name.clone(), line: Some(number), text: line.to_vec() });
        }
    }
    Ok(())
}

/// Whether each line is a resource: by the name, or because the first line is one and others follow.
fn is_ndjson(path: &Path, text: &[u8]) -> bool {
    if path.extension().is_some_and(|ending| ending == "ndjson") {
        return true;
    }
    let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next().unwrap_or_default().trim_ascii();
    first.starts_with(b"{") && first.ends_with(b"}") && lines.next().is_some_and(|line| line.starts_with(b"{"))
}

fn check(validation: &Validation, profiles: &[String], text: &[u8]) -> Vec<Issue> {
    let converted;
    let mut text = text;
    if packages::is_xml(text) {
        match std::str::from_utf8(text)
            .map_err(|error| error.to_string())
            .and_then(|xml| validation.json_of_xml(xml).map_err(|error| error.to_string()))
        {
            Ok(json) => {
                converted = json;
                text = converted.as_bytes();
            }
            Err(error) => {
                return vec![Issue::error("structure", format!("This is not the XML that FHIR asks for: {error}."))];
            }
        }
    }
    match Document::read(text) {
        Ok(document) => validation.check_against(&document, profiles),
        Err(error) => {
            let message = format!("The file is not the JSON that FHIR asks for: {}.", error.kind);
            vec![Issue::error("structure", message).at(error.position.line, error.position.column)]
        }
    }
}

fn tell(out: &mut impl Write, input: &Input, issues: &[Issue]) -> std::io::Result<()> {
    for issue in issues {
        let Issue { severity, code, message, line, column, expression, .. } = issue;
        let line = input.line.or(*line).unwrap_or(1);
        let (column, expression) = (column.unwrap_or(1), expression.as_deref().unwrap_or("-"));
        writeln!(out, "{}:{line}:{column} {severity} {code} {expression} {message}", input.name)?;
    }
    Ok(())
}
