//! `signalbox check`: everything that is wrong with a configuration folder, each with its place, what was found and
//! what would be right.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{ConfigFolder, World};
use crate::app::{self, Findings};
use crate::config::{ConfigError, Place, Problem};

#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFolder,
    /// For people, or one JSON object for machines
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Check {
    pub(super) fn run(&self, world: &World) -> anyhow::Result<ExitCode> {
        let folder = &self.config.config;
        anyhow::ensure!(
            folder.is_dir(),
            "there is no folder {}; the configuration's folder is chosen with --config",
            folder.display()
        );
        let findings = app::inspect(folder, &world.environment, &world.clock)?;
        match self.format {
            Format::Human => tell(&findings, folder, &mut anstream::stdout().lock())?,
            Format::Json => writeln!(std::io::stdout(), "{:#}", as_json(&findings))?,
        }
        Ok(if findings.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

const BOLD: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const QUIET: Style = AnsiColor::BrightBlack.on_default();
const GOOD: Style = AnsiColor::Green.on_default().bold();

/// One paragraph a problem: `file:line:column: error: setting: what is wrong`, then the line it stands in.
fn tell(findings: &Findings, folder: &Path, out: &mut impl Write) -> std::io::Result<()> {
    for (problems, word, style) in [(&findings.errors, "error", ERROR), (&findings.warnings, "warning", WARNING)] {
        for ConfigError { place, key, problem } in problems {
            write!(out, "{BOLD}{place}:{BOLD:#} {style}{word}:{style:#} ")?;
            if !key.is_empty() {
                write!(out, "{key}: ")?;
            }
            writeln!(out, "{problem}")?;
            if let Some(line) = line_of(folder, place, key) {
                let number = place.line;
                let before = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
                writeln!(out, "{QUIET}{number:>5} |{QUIET:#} {line}")?;
                writeln!(out, "{QUIET}      |{QUIET:#} {:before$}{style}^{style:#}", "")?;
            }
        }
    }
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let (errors, warnings) = (findings.errors.iter().count(), findings.warnings.iter().count());
    let verdict = match errors {
        0 => format!("{GOOD}the configuration is good{GOOD:#}"),
        _ if findings.starts => {
            format!(
                "{ERROR}{}{ERROR:#}: the gateway would start, and part of it could not work",
                count(errors, "error")
            )
        }
        _ => format!("{ERROR}{}{ERROR:#}: the gateway would not start", count(errors, "error")),
    };
    let doubts = if warnings == 0 { String::new() } else { format!("; {}", count(warnings, "warning")) };
    writeln!(out, "{verdict}{doubts}")
}

/// The line as it is written, unless it may hold a secret.
fn line_of(folder: &Path, place: &Place, setting: &str) -> Option<String> {
    let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let text = std::fs::read_to_string(folder.join(&*place.file)).ok()?;
    let line = text.lines().nth(index)?;
    let discreet = ["url", "key", "token", "secret", "password", "headers", "authorization", "cookie"];
    // An inline table has several names.
    let names = line.rsplit_once('=').map_or("", |(names, _)| names).to_lowercase();
    let hidden = setting.contains(".headers") || line.contains("://");
    (!hidden && !discreet.iter().any(|word| names.contains(word))).then(|| line.to_owned())
}

fn as_json(findings: &Findings) -> Value {
    let problem = |severity: &str, error: &ConfigError| {
        let mut told = json!({
            "severity": severity,
            "file": &*error.place.file,
            "line": error.place.line,
            "column": error.place.column,
            "setting": error.key,
            "message": error.problem.to_string(),
        });
        match &error.problem {
            Problem::Unexpected { found, expected } => {
                told["found"] = found.as_str().into();
                told["expected"] = expected.as_str().into();
            }
            Problem::Unknown { nearest, known } => {
                told["nearest"] = nearest.as_deref().into();
                told["known"] = known.as_slice().into();
            }
            Problem::Missing | Problem::Other(_) => {}
        }
        told
    };
    let errors = findings.errors.iter().map(|error| problem("error", error));
    let warnings = findings.warnings.iter().map(|error| problem("warning", error));
    let (good, starts) = (findings.errors.is_empty(), findings.starts);
    json!({ "good": good, "starts": starts, "problems": errors.chain(warnings).collect::<Vec<_>>() })
}
