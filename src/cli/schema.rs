//! `signalbox schema`: the JSON Schema of the configuration, for editors.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::settings_page;
use crate::adapters::ADAPTERS;
use crate::config::schema::{self, SettingsSchema};

#[derive(Args)]
pub(super) struct Schema {
    /// Of a file in routes/ instead of signalbox.toml
    #[arg(long, conflicts_with = "page")]
    routes: bool,
    /// As a page for people, in Markdown
    #[arg(long)]
    page: bool,
}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        if self.page {
            write!(std::io::stdout(), "{}", settings_page::page(&of_file()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let schema = if self.routes { schema::of_routes() } else { of_file() };
        writeln!(std::io::stdout(), "{schema:#}")?;
        Ok(ExitCode::SUCCESS)
    }
}

fn of_file() -> serde_json::Value {
    let adapters = ADAPTERS.iter().map(|kind| SettingsSchema { adapter: kind.name, schema: (kind.schema)() });
    schema::of_file(&adapters.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULTS};
    use std::path::{Path, PathBuf};

    /// Writes the file anew when it is not what the structs say; whether it was.
    fn is_in_step(name: &str, wanted: String) -> bool {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
        let in_step = std::fs::read_to_string(&path).is_ok_and(|found| found == wanted);
        if !in_step {
            std::fs::write(&path, wanted).unwrap();
        }
        in_step
    }

    #[test]
    fn schemas_and_settings_page_in_the_repository_are_those_of_the_structs() {
        let files = [
            ("schemas/signalbox.schema.json", format!("{:#}\n", of_file())),
            ("schemas/routes.schema.json", format!("{:#}\n", schema::of_routes())),
            ("docs/configuration.md", settings_page::page(&of_file())),
        ];
        let in_step = files.map(|(name, wanted)| is_in_step(name, wanted));
        assert_eq!(in_step, [true; 3], "a file was not what the structs say; it has been written anew");
    }

    /// What stands in `signalbox.toml`, its examples included.
    fn written() -> serde_json::Value {
        let lines = DEFAULTS.lines().filter(|line| !line.starts_with("# "));
        let text: Vec<&str> = lines.map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
        text.join("\n").parse::<toml::Table>().map(|table| serde_json::to_value(table).unwrap()).unwrap()
    }

    #[test]
    fn an_editor_accepts_signalbox_toml_and_marks_a_wrong_setting_of_an_adapter() {
        let validator = jsonschema::validator_for(&of_file()).unwrap();
        let mut file = written();
        assert!(validator.is_valid(&file), "{:?}", validator.iter_errors(&file).next().map(|error| error.to_string()));
        file["destinations"]["ward-system"]["settings"]["charset"] = "latin1".into();
        assert!(!validator.is_valid(&file));
    }

    #[test]
    fn the_gateway_and_an_editor_refuse_the_same() {
        let validator = jsonschema::validator_for(&of_file()).unwrap();
        for text in [
            "http.max_depth = 0",
            "http.colour = 1",
            "http.listen = \"here\"",
            "delivery.retry.first = \"soon\"",
            "destinations.a = { settings = {} }",
            "routes = [{ name = \"a\" }]",
            "routes = [{ name = \"a\", to = [{}] }]",
        ] {
            let file = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
            assert!(!validator.is_valid(&file), "{text}");
            assert!(Config::from_toml(text, Path::new(".")).is_err(), "{text}");
        }
    }
}
