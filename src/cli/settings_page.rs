//! `docs/configuration.md`: every setting as the schema has it, for people. Written anew by a test when the settings
//! change, and printed by `signalbox schema --page`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const HEAD: &str = "# Configuration

Every setting of `signalbox.toml`, from the same definitions that the program reads it by (written by
`signalbox schema --page`; a test keeps it so). Every default, with comments and examples that work, stands in
[signalbox.toml](../signalbox.toml). Write only what differs, and let `signalbox check` look at it.

Names in capitals are yours to choose. Periods carry a unit (`250ms`, `30s`, `15m`, `24h`, `30d`), and so do sizes
(`512 KiB`, `10 MiB`). Where a secret may stand, write `secret:env:NAME` or `secret:file:PATH`.
";

/// The page of a schema.
pub(super) fn page(schema: &Value) -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "", schema);
    page
}

/// One table and, after it, those of the tables inside.
fn section(page: &mut String, path: &str, schema: &Value) {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let needed: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let (tables, plain): (Vec<_>, Vec<_>) = properties.iter().partition(|(_, value)| inner(value).is_some());
    if !path.is_empty() && !plain.is_empty() {
        let _ = writeln!(page, "\n## `{path}`\n");
        if let Some(text) = schema["description"].as_str() {
            let _ = writeln!(page, "{}\n", one_line(text));
        }
    } else if !plain.is_empty() {
        let _ = writeln!(page, "\n## Top of the file\n");
    }
    if !plain.is_empty() {
        let _ = writeln!(page, "| setting | what it is | default |\n|---|---|---|");
    }
    for (name, value) in plain {
        let default = match &value["default"] {
            Value::Null if needed.contains(&name.as_str()) => "**needed**".to_owned(),
            Value::Null => String::new(),
            Value::String(text) if text.is_empty() => "empty".to_owned(),
            Value::Object(object) if object.is_empty() => "empty".to_owned(),
            Value::Array(items) if items.is_empty() => "empty".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let _ = writeln!(page, "| `{name}` | {} | {default} |", told(value));
    }
    for (name, value) in tables {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match inner(value) {
            Some((suffix, table)) => section(page, &format!("{path}{suffix}"), table),
            None => section(page, &path, value),
        }
    }
    for one in schema["allOf"].as_array().into_iter().flatten() {
        let settings = &one["then"]["properties"]["settings"];
        if let Some(adapter) = one["if"]["properties"]["type"]["const"].as_str() {
            section(page, &format!("{path}.settings of {adapter}"), settings);
        }
    }
}

/// The table that stands under a name, and what its own name is followed by.
fn inner(value: &Value) -> Option<(&'static str, &Value)> {
    let is_table = |value: &&Value| value["properties"].is_object();
    let of_names = Some(&value["additionalProperties"]).filter(is_table).map(|table| (".NAME", table));
    let of_items = Some(&value["items"]).filter(is_table).map(|table| ("[]", table));
    of_names.or(of_items).or(Some(("", value)).filter(|(_, value)| is_table(value)))
}

/// What a setting is, and which words it takes.
fn told(value: &Value) -> String {
    let mut text = one_line(value["description"].as_str().unwrap_or_default());
    let choices = value["oneOf"].as_array().or_else(|| value["items"]["oneOf"].as_array());
    for choice in choices.into_iter().flatten() {
        if let Some(word) = choice["const"].as_str() {
            let _ = write!(text, " `{word}`: {}", one_line(choice["description"].as_str().unwrap_or_default()));
        }
    }
    if let Some(words) = value["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        let _ = write!(text, " One of {}.", words.join(", "));
    }
    text.trim().to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
