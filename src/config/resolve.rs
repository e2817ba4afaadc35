//! Which settings may be secrets: their references are resolved here, and a secret in clear is refused.

use std::path::Path;

use serde_json::Value;

use super::error::{ConfigError, Problem};
use super::secret::{self, Environment};
use super::tree::{Content, Node, Step, render};

/// What a setting may hold.
enum Role {
    /// A secret, by reference only.
    Secret,
    /// A header whose value is a secret, by reference only.
    Credential,
    /// A plain value, or a secret by reference.
    Either,
    /// An expression that may mention URLs.
    Expression,
    /// A plain value.
    Plain,
}

fn role_of(path: &[Step]) -> Role {
    let steps: Vec<&str> = path.iter().map(|step| if let Step::Key(key) = step { key } else { "" }).collect();
    match steps.as_slice() {
        ["identity", "search_key"] | ["terminology", "token"] => Role::Secret,
        ["terminology", "headers", name] if secret::is_credential(name) => Role::Credential,
        ["database", "url" | "owner_url"] | ["terminology", "headers", _] | ["destinations", _, "settings", ..] => {
            Role::Either
        }
        ["routes", ..] => Role::Expression,
        _ => Role::Plain,
    }
}

/// Puts in place of every reference what it stands for, and complains of secrets in clear and of references where
/// none is read.
pub(super) fn resolve_secrets(tree: &mut Node, base: &Path, environment: &Environment, errors: &mut Vec<ConfigError>) {
    let mut resolved = Vec::new();
    tree.walk(&mut Vec::new(), &mut |path, node| {
        let Content::Text(text) = &node.content else { return };
        let mut report = |problem| errors.push(ConfigError { place: node.place.clone(), key: render(path), problem });
        let unexpected = |found: &str, expected: String| Problem::Unexpected { found: found.to_owned(), expected };
        match (role_of(path), text.starts_with(secret::PREFIX)) {
            (Role::Secret | Role::Credential | Role::Either, true) => match secret::resolve(text, base, environment) {
                Ok(value) => resolved.push((path.to_vec(), value)),
                Err(sentence) => report(Problem::Other(sentence)),
            },
            (Role::Plain, true) => {
                report(unexpected("a reference to a secret", "a plain value: this setting is no secret".to_owned()));
            }
            (Role::Secret, false) if !text.is_empty() => report(secret::in_clear()),
            (Role::Credential, false) if !text.is_empty() => report(secret::credential_in_clear()),
            (Role::Either | Role::Plain, false) if secret::holds_password(text) => {
                report(unexpected("a URL with a password in clear", format!("the whole URL as {}", secret::FORM)));
            }
            _ => {}
        }
    });
    for (path, value) in resolved {
        if let Some(node) = tree.find_mut(&path) {
            node.content = Content::Text(value);
        }
    }
}

/// Secrets in clear among the settings of an adapter, at `path`: what its schema marks `x-secret`. Of a table whose names
/// are free, such as headers, only those that hold credentials.
pub(super) fn in_clear(path: &[Step], tree: &Node, schema: &Value) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let Some(settings) = tree.find(path) else { return errors };
    settings.walk(&mut Vec::new(), &mut |below, node| {
        let written =
            matches!(&node.content, Content::Text(text) if !text.is_empty() && !text.starts_with(secret::PREFIX));
        let problem = written.then(|| secret_at(below, schema)).flatten();
        errors.extend(problem.map(|problem| tree.error(&[path, below].concat(), problem)));
    });
    errors
}

/// What is wrong with a text in clear at `path`, when the schema calls it a secret.
fn secret_at(path: &[Step], schema: &Value) -> Option<Problem> {
    let (mut schema, mut problem) = (schema, secret::in_clear());
    for step in path {
        schema = match step {
            Step::Index(_) => schema.get("items")?,
            Step::Key(name) => match schema["properties"].get(name) {
                Some(named) => named,
                None if secret::is_credential(name) => {
                    problem = secret::credential_in_clear();
                    schema.get("additionalProperties")?
                }
                None => return None,
            },
        };
    }
    (schema["x-secret"] == true).then_some(problem)
}
