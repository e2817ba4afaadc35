//! Makes a pack of a FHIR package: `cargo run --release -p signalbox-validator --example reduce -- PACKAGE.tgz PACK
//! [FOLDER]`. In the folder each definition of the pack is written once more to be read, one file each, in which what it
//! says of elements is the differential of FHIR JSON.
//!
//! See `fhir-profiles/README.md` for where packages come from and what a pack holds.

use std::error::Error;
use std::path::Path;

use signalbox_validator::json::{Document, Kind, Value};
use signalbox_validator::{Package, reduce};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(package), Some(pack)) = (arguments.next(), arguments.next()) else {
        return Err("give the package to read and the pack to write".into());
    };
    let bytes = reduce(&std::fs::read(package)?)?;
    std::fs::write(pack, &bytes)?;
    let Some(folder) = arguments.next() else { return Ok(()) };
    std::fs::create_dir_all(&folder)?;
    for (_, text) in Package::read(&bytes)?.definitions {
        let document = Document::read(&text)?;
        let text_of = |key| document.root().str_at(&[key]).unwrap_or_default();
        let (kind, url) = (text_of("resourceType"), text_of("url"));
        let name = format!("{kind}-{}.json", url.rsplit('/').next().unwrap_or_default());
        let mut out = String::new();
        object(document.root(), 0, true, &mut out);
        out.push('\n');
        std::fs::write(Path::new(&folder).join(name), out)?;
    }
    Ok(())
}

fn object(value: Value<'_>, depth: usize, is_resource: bool, out: &mut String) {
    out.push('{');
    for (at, member) in value.children().enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        indent(depth + 1, out);
        let key = member.key().unwrap_or_default();
        let is_differential = is_resource && key == "element";
        for part in if is_differential { ["\"differential\": {", "\"element", "\": "] } else { ["\"", &key, "\": "] } {
            out.push_str(part);
        }
        any(member, depth + 1, out);
        if is_differential {
            out.push('}');
        }
    }
    out.push('\n');
    indent(depth, out);
    out.push('}');
}

/// A short value stands in one line.
fn any(value: Value<'_>, depth: usize, out: &mut String) {
    match value.kind() {
        Kind::Object if value.raw().len() > 100 => object(value, depth, false, out),
        Kind::Array if value.raw().len() > 100 => {
            out.push('[');
            for (at, item) in value.children().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "\n" });
                indent(depth + 1, out);
                any(item, depth + 1, out);
            }
            out.push('\n');
            indent(depth, out);
            out.push(']');
        }
        _ => out.push_str(value.raw()),
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', depth));
}
