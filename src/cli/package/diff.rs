//! `signalbox package diff A B`: what differs between two versions of a package, definition by definition and element by
//! element. Exit codes as of `diff`: 0 nothing, 1 something, 2 it could not be found out.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use signalbox_validator::LoadProblem;

use super::{ConfigFolder, Format, conformance};
use crate::validation::Validation;
use crate::validation::compare::{self, Change, Difference, How, Named, Side};
use crate::validation::library::{Gathered, Library};
use crate::validation::packages::Opened;
use crate::validation::reference::Reference;

/// Of the codes of one definition, people are told this many.
const MOST: usize = 20;

#[derive(Args)]
pub(in crate::cli) struct Diff {
    /// The older one: NAME@VERSION of signalbox.lock, one that is built in, or a file or folder
    #[arg(value_name = "A")]
    from: String,
    /// The newer one
    #[arg(value_name = "B")]
    to: String,
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Diff {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let lock = conformance::lock(&self.config.config)?;
        let plain = Validation::built_in()?;
        let library = Library { lock: &lock, paths: Path::new(""), plain: &plain };
        let open = |name: &str| -> anyhow::Result<(Opened, Validation)> {
            let opened = library.open(name).map_err(|problem| anyhow!("{problem}"))?;
            let needs = opened.info.iter().flat_map(|info| &info.dependencies);
            let needs: Vec<Reference> =
                needs.filter_map(|(name, version)| Reference::new(name, version).ok()).collect();
            let mut gathered = Gathered::all_carried();
            library.gather_dependencies(name, &needs, &mut gathered).map_err(|sentence| anyhow!(sentence))?;
            gathered.add(opened.clone(), &plain);
            let lacking = gathered.lacking();
            let (set, warnings) = gathered.compile()?;
            // That it stands for what is built in is nothing that differs.
            let warnings = warnings.iter().filter(|warning| warning.problem != LoadProblem::Redefined);
            for told in lacking.into_iter().chain(warnings.map(ToString::to_string)) {
                writeln!(std::io::stderr(), "signalbox: {told}")?;
            }
            Ok((opened, set))
        };
        let ((from, from_set), (to, to_set)) = (open(&self.from)?, open(&self.to)?);
        let found = compare::compare(Side { opened: &from, set: &from_set }, Side { opened: &to, set: &to_set });
        let mut out = std::io::stdout().lock();
        let (before, after) = (title(&self.from, &from), title(&self.to, &to));
        match self.format {
            Format::Json => {
                let Difference { added, removed, changed } = &found;
                writeln!(
                    out,
                    "{:#}",
                    json!({ "from": before, "to": after, "added": added, "removed": removed, "changed": changed })
                )?;
            }
            Format::Human => tell(&mut out, &before, &after, &found)?,
        }
        let Difference { added, removed, changed } = &found;
        let is_same = added.is_empty() && removed.is_empty() && changed.is_empty();
        Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Name and version, where it says them.
fn title(given: &str, opened: &Opened) -> String {
    opened.info.as_ref().map_or_else(|| given.to_owned(), |info| format!("{}@{}", info.name, info.version))
}

fn tell(out: &mut impl Write, before: &str, after: &str, found: &Difference) -> std::io::Result<()> {
    writeln!(out, "{before} -> {after}")?;
    let list = |out: &mut dyn Write, word: &str, named: &[Named]| -> std::io::Result<()> {
        if !named.is_empty() {
            writeln!(out, "{word}")?;
        }
        named.iter().try_for_each(|Named { kind, url }| writeln!(out, "  {} {url}", kind.name()))
    };
    list(out, "added", &found.added)?;
    list(out, "removed", &found.removed)?;
    if !found.changed.is_empty() {
        writeln!(out, "changed")?;
    }
    for changed in &found.changed {
        writeln!(out, "  {} {}", changed.named.kind.name(), changed.named.url)?;
        if let Some(note) = &changed.note {
            writeln!(out, "    ({note})")?;
        }
        for change in changed.facts.iter().take(MOST) {
            writeln!(out, "    {}", words(change))?;
        }
        if let Some(more) = changed.facts.len().checked_sub(MOST).filter(|more| *more > 0) {
            writeln!(out, "    and {more} more; --format json tells them all")?;
        }
        for element in &changed.elements {
            let how = match element.change {
                How::Added => " (added)",
                How::Removed => " (removed)",
                How::Changed => "",
            };
            writeln!(out, "    {}{how}", element.id)?;
            for change in &element.facts {
                writeln!(out, "      {}", words(change))?;
            }
        }
    }
    let (added, removed, changed) = (found.added.len(), found.removed.len(), found.changed.len());
    writeln!(out, "{added} added, {removed} removed, {changed} changed")
}

fn words(Change { fact, before, after }: &Change) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("{fact}: {before} -> {after}"),
        (None, Some(after)) => format!("{fact}: + {after}"),
        (Some(before), None) => format!("{fact}: - {before}"),
        (None, None) => fact.clone(),
    }
}
