//! `signalbox test`: the golden cases beside the routes.

use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use similar::{ChangeTag, TextDiff};

use super::{ConfigFolder, World};
use crate::app::golden::{Difference, Tried, golden};
use crate::config::Config;

#[derive(Args)]
pub(super) struct Test {
    #[command(flatten)]
    config: ConfigFolder,
    /// Write the payloads that differ into the cases, to be looked at and committed
    #[arg(long)]
    write: bool,
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

impl Test {
    pub(super) fn run(&self, world: &World) -> anyhow::Result<ExitCode> {
        let folder = &self.config.config;
        let config = Config::load_with(Some(folder), &world.environment)?;
        let tried = golden(&config, folder, &world.clock, self.write)?;
        anyhow::ensure!(
            !tried.is_empty(),
            "there are no cases in {}: a case is a folder routes/NAME.cases/CASE with a case.toml",
            folder.display()
        );
        let mut out = anstream::stdout().lock();
        tried.iter().try_for_each(|case| tell(case, &mut out))?;
        let failed = tried.iter().filter(|case| !case.differences.is_empty()).count();
        writeln!(out, "{} passed, {failed} failed", tried.len() - failed)?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn tell(tried: &Tried, out: &mut impl Write) -> std::io::Result<()> {
    let Tried { case, destinations, differences } = tried;
    if differences.is_empty() {
        let reached = if destinations.is_empty() { "nobody".to_owned() } else { destinations.join(", ") };
        return writeln!(out, "{GOOD}ok{GOOD:#}    {case}: sent to {reached}");
    }
    writeln!(out, "{BAD}wrong{BAD:#} {case}")?;
    for difference in differences {
        match difference {
            Difference::Case(sentence) => writeln!(out, "      {}", sentence.replace('\n', "\n      "))?,
            Difference::Answer { expected, found } => writeln!(out, "      expected that {expected}, but {found}")?,
            Difference::Missing(name) => writeln!(out, "      {name}: expected a payload, it gets nothing")?,
            Difference::Surplus(name) => writeln!(out, "      {name}: gets a payload that the case does not expect")?,
            Difference::Written(name) => writeln!(out, "      {name}: the payload was written into the case")?,
            Difference::Payload { destination, file, expected, found } => {
                writeln!(out, "      {destination}: the payload is not that of {file}")?;
                show(expected, found, out)?;
            }
        }
    }
    Ok(())
}

/// Lines that differ: `-` is expected, `+` was found.
fn show(expected: &str, found: &str, out: &mut impl Write) -> std::io::Result<()> {
    for change in TextDiff::from_lines(expected, found).iter_all_changes() {
        let (sign, style) = match change.tag() {
            ChangeTag::Delete => ('-', BAD),
            ChangeTag::Insert => ('+', GOOD),
            ChangeTag::Equal => continue,
        };
        writeln!(out, "      {style}{sign} {}{style:#}", change.value().trim_end_matches('\n'))?;
    }
    Ok(())
}
