//! `signalbox package reduce FILE.tgz`: turns a FHIR package into a facts-only pack
//! ([FHIR packages](https://hl7.org/fhir/packages.html)).

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

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
}

impl Package {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Reduce { file, output } = self;
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
