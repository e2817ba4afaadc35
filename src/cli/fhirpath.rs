//! `signalbox fhirpath EXPRESSION FILE`: what an expression gives for a resource, for engineers who write conditions and
//! profiles ([FHIRPath](https://hl7.org/fhir/R4/fhirpath.html)). Exit codes: 0 it gave something, 1 it gave nothing or has
//! no value here, 2 the expression or the file cannot be read.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use signalbox_validator::json::Document;

use super::World;
use crate::validation::{Validation, packages};

#[derive(Args)]
pub(super) struct Fhirpath {
    /// The expression, such as "Patient.name.where(use = 'official').family"
    expression: String,
    /// A file with one resource in JSON or XML; - is standard input
    file: PathBuf,
}

impl Fhirpath {
    pub(super) fn run(&self, world: &World) -> anyhow::Result<ExitCode> {
        let name = self.file.display();
        let mut text = Vec::new();
        if self.file.as_os_str() == "-" {
            std::io::stdin().lock().read_to_end(&mut text).context("standard input cannot be read")?;
        } else {
            text = std::fs::read(&self.file).with_context(|| format!("{name} cannot be read"))?;
        }
        let validation = Validation::built_in()?;
        if packages::is_xml(&text) {
            text = validation.json_of_xml(std::str::from_utf8(&text)?).with_context(|| format!("{name}"))?.into_bytes();
        }
        let document = Document::read(&text).map_err(|error| {
            let place = error.position;
            anyhow::anyhow!("{name}:{}:{}: this is not JSON: {}", place.line, place.column, error.kind)
        })?;
        match validation.evaluate(&self.expression, &document, world.clock.now()) {
            Ok(found) => {
                let mut out = std::io::stdout().lock();
                for (type_name, value) in &found {
                    writeln!(out, "{type_name:<12} {value}")?;
                }
                Ok(ExitCode::from(u8::from(found.is_empty())))
            }
            Err(fault) => {
                let mut errors = std::io::stderr().lock();
                writeln!(errors, "signalbox: {}", fault.message)?;
                writeln!(errors, "{}", pointed(&self.expression, fault.offset))?;
                Ok(ExitCode::from(if fault.is_syntax { 2 } else { 1 }))
            }
        }
    }
}

/// The line of the expression that holds the offset, with a caret below the place.
fn pointed(expression: &str, offset: usize) -> String {
    let offset = (0..=offset.min(expression.len())).rev().find(|at| expression.is_char_boundary(*at)).unwrap_or(0);
    let start = expression[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = expression[start..].lines().next().unwrap_or_default();
    let column = expression[start..offset].chars().count();
    format!("  {line}\n  {}^", " ".repeat(column))
}

#[cfg(test)]
mod tests {
    use super::pointed;

    #[test]
    fn the_caret_stands_below_the_place() {
        assert_eq!(pointed("name.giben", 5), "  name.giben\n       ^");
        assert_eq!(pointed("name\n.first(", 12), "  .first(\n         ^");
        assert_eq!(pointed("'é' + 1", 5), "  'é' + 1\n      ^");
        assert_eq!(pointed("", 9), "  \n  ^");
    }
}
