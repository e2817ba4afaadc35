//! `signalbox package list`: the packages there are, what is in them, and whether what they start from is here.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{ConfigFolder, Format, conformance, counts, in_words};
use crate::validation::Validation;
use crate::validation::compare::Kind;
use crate::validation::library::Library;
use crate::validation::lock::FILE;
use crate::validation::packages;
use crate::validation::reference::Reference;

#[derive(Args)]
pub(in crate::cli) struct List {
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    config: ConfigFolder,
}

/// One package, as it is told.
struct Row {
    name: String,
    /// Where it is: the short name of what is built in, or the file.
    place: Option<String>,
    /// How many definitions, or why they cannot be read.
    counts: Result<BTreeMap<Kind, usize>, String>,
    /// What it starts from, and where that is.
    needs: Vec<(String, Option<&'static str>)>,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let lock = conformance::lock(&self.config.config)?;
        let plain = Validation::built_in()?;
        let library = Library { lock: &lock, paths: lock.folder(), plain: &plain };
        let needs =
            |needs: &[Reference]| needs.iter().map(|wanted| (wanted.to_string(), library.has(wanted))).collect();
        let carried = packages::read_carried()?.into_iter().map(|(alias, opened)| {
            let info = opened.info.clone().unwrap_or_default();
            let starts = info.dependencies.iter().filter_map(|(name, version)| Reference::new(name, version).ok());
            Row {
                name: format!("{}@{}", info.name, info.version),
                place: alias.map(str::to_owned),
                counts: Ok(counts(&opened)),
                needs: needs(&starts.collect::<Vec<_>>()),
            }
        });
        let locked = lock.packages().iter().map(|package| Row {
            name: package.reference.to_string(),
            place: Some(package.file.clone()),
            counts: package.open(lock.folder()).map(|opened| counts(&opened)),
            needs: needs(&package.dependencies),
        });
        let (carried, locked): (Vec<Row>, Vec<Row>) = (carried.collect(), locked.collect());
        let mut out = std::io::stdout().lock();
        if self.format == Format::Json {
            let list = |rows: &[Row]| rows.iter().map(Row::as_json).collect::<Vec<_>>();
            writeln!(out, "{:#}", json!({ "builtIn": list(&carried), "lock": list(&locked) }))?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "built in")?;
        tell(&mut out, &carried)?;
        if lock.is_there() {
            writeln!(out, "{FILE}")?;
            tell(&mut out, &locked)?;
        } else {
            let folder = lock.folder().display();
            writeln!(
                out,
                "There is no {FILE} in {folder}: `signalbox package add FILE` writes it (--config DIR chooses the folder)."
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let places = rows.iter().map(|row| row.place.as_deref().unwrap_or("-").len()).max().unwrap_or(0);
    for row in rows {
        let counts = match &row.counts {
            Ok(counts) => in_words(counts),
            Err(why) => format!("cannot be used: {why}"),
        };
        writeln!(out, "  {:width$}  {:places$}  {counts}", row.name, row.place.as_deref().unwrap_or("-"))?;
        for (wanted, place) in &row.needs {
            writeln!(
                out,
                "    starts from {wanted}, {}",
                place.unwrap_or("which is not here: add it by `signalbox package add`")
            )?;
        }
    }
    Ok(())
}

impl Row {
    fn as_json(&self) -> Value {
        let needs = self.needs.iter().map(|(name, place)| json!({ "name": name, "place": place }));
        let mut told = json!({ "name": self.name, "place": self.place, "startsFrom": needs.collect::<Vec<_>>() });
        match &self.counts {
            Ok(counts) => {
                let counts = counts.iter().map(|(kind, number)| (kind.name().to_owned(), json!(number)));
                told["definitions"] = Value::Object(counts.collect());
            }
            Err(why) => told["problem"] = json!(why),
        }
        told
    }
}
