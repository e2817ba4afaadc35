//! `signalbox package reduce|snapshot`: turns a FHIR package into a facts-only pack, or prints a definition with its
//! snapshot ([FHIR packages](https://hl7.org/fhir/packages.html)).

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::conformance;

#[derive(Subcommand)]
pub(super) enum Package {
    /// Keep the facts of a FHIR package (paths, cardinalities, types, bindings) and leave out its texts
    Reduce {
        /// The package, a .tgz file
        file: PathBuf,
        /// Where to write the pack; by default beside the package, ending in .pack
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Print a definition with the snapshot that is generated for it
    Snapshot {
        /// Its canonical
        url: String,
        /// A FHIR package (.tgz), a folder or a single conformance resource to use as well; may be repeated
        #[arg(long, value_name = "FILE|DIR")]
        package: Vec<PathBuf>,
    },
}

impl Package {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (file, output) = match self {
            Self::Reduce { file, output } => (file, output),
            Self::Snapshot { url, package } => return snapshot(&url, &package),
        };
        let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let pack =
            signalbox_validator::reduce(&bytes).with_context(|| format!("{} is not a FHIR package", file.display()))?;
        let output = output.unwrap_or_else(|| file.with_extension("pack"));
        std::fs::write(&output, &pack).with_context(|| format!("{} cannot be written", output.display()))?;
        writeln!(
            std::io::stdout(),
            "{}: {} bytes of package became {} bytes of facts",
            output.display(),
            bytes.len(),
            pack.len()
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

fn snapshot(url: &str, packages: &[PathBuf]) -> anyhow::Result<ExitCode> {
    match conformance::load(packages)?.snapshot(url) {
        Ok(text) => {
            writeln!(std::io::stdout(), "{text}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            writeln!(std::io::stderr(), "signalbox: {why}")?;
            Ok(ExitCode::from(1))
        }
    }
}
