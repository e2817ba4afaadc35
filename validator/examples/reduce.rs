//! Makes a pack of a FHIR package: `cargo run --release -p signalbox-validator --example reduce -- PACKAGE.tgz PACK`.
//!
//! See `fhir-profiles/README.md` for where packages come from and what a pack holds.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(package), Some(pack)) = (arguments.next(), arguments.next()) else {
        return Err("give the package to read and the pack to write".into());
    };
    std::fs::write(pack, signalbox_validator::reduce(&std::fs::read(package)?)?)?;
    Ok(())
}
