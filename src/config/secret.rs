//! Secrets: never in a configuration file, only `secret:env:NAME` or `secret:file:PATH`, resolved when the
//! configuration is read. The one place that reads the process's environment.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problem;

/// A value that must not be shown: neither `{:?}` nor an error prints it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-secret" = true))]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be shown.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Environment variables: the process's own, or those a test gives.
#[derive(Clone)]
pub struct Environment(Arc<Variables>);

impl Environment {
    /// The process's environment.
    #[must_use]
    pub fn of_process() -> Self {
        Self(Arc::new(read_variable))
    }

    /// These variables and no others.
    #[must_use]
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(Arc::new(move |name| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())))
    }

    /// The variable with this name, when it is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// `DATABASE_URL`, which stands in for an empty `database.url`.
    #[must_use]
    pub fn database_url(&self) -> Option<Secret> {
        self.get("DATABASE_URL").map(Secret)
    }

    /// `DATABASE_OWNER_URL`, which stands in for an empty `database.owner_url`.
    #[must_use]
    pub fn database_owner_url(&self) -> Option<Secret> {
        self.get("DATABASE_OWNER_URL").map(Secret)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn read_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What every reference begins with.
pub(super) const PREFIX: &str = "secret:";

/// What a reference looks like, for errors.
pub(super) const FORM: &str = "\"secret:env:NAME\" or \"secret:file:PATH\"";

/// The value a reference stands for; relative paths start at `base`. A line end at the end of a file is not part of it.
///
/// # Errors
/// A sentence that says what is wrong with the reference, never what was read.
pub(super) fn resolve(reference: &str, base: &Path, environment: &Environment) -> Result<String, String> {
    let place = reference.strip_prefix(PREFIX).unwrap_or(reference);
    match place.split_once(':') {
        Some(("env", name)) if !name.is_empty() => {
            environment.get(name).ok_or_else(|| format!("the environment variable {name} is not set"))
        }
        Some(("file", path)) if !path.is_empty() => {
            let text = std::fs::read_to_string(base.join(path))
                .map_err(|error| format!("the secret's file {path} cannot be read: {error}"))?;
            match text.trim_end_matches(['\r', '\n']) {
                "" => Err(format!("the secret's file {path} is empty")),
                secret => Ok(secret.to_owned()),
            }
        }
        _ => Err(format!("a reference to a secret is written {FORM}")),
    }
}

/// Whether a header of this name holds a credential, as `Authorization`, `X-Api-Key` and `Cookie` do.
pub(super) fn is_credential(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["authorization", "cookie", "key", "password", "secret", "token"].iter().any(|word| header.contains(word))
}

/// What is wrong with a credential that stands in a header in clear.
pub(super) fn credential_in_clear() -> Problem {
    Problem::Unexpected {
        found: "a credential in clear".to_owned(),
        expected: format!("{FORM} for the whole value of the header; a bearer token is the setting `token`"),
    }
}

/// What is wrong with a secret that stands in clear.
pub(super) fn in_clear() -> Problem {
    Problem::Unexpected { found: "a secret in clear".to_owned(), expected: FORM.to_owned() }
}

/// Whether a URL holds a password in clear: in `user:password@host`, or as `?password=`.
pub(super) fn holds_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    in_authority || query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_the_environment_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "from the file\n").unwrap();
        let environment = Environment::of([("KEY", "from the environment"), ("EMPTY", "")]);
        let read = |reference| resolve(reference, folder.path(), &environment);
        assert_eq!(read("secret:env:KEY").as_deref(), Ok("from the environment"));
        assert_eq!(read("secret:file:key").as_deref(), Ok("from the file"));
        for wrong in ["secret:env:OTHER", "secret:env:EMPTY", "secret:file:other", "secret:env:", "secret:vault:x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret");
    }

    #[test]
    fn a_header_that_holds_a_credential_is_known_by_its_name() {
        for name in ["Authorization", "proxy-authorization", "X-Api-Key", "apikey", "Cookie", "X-Auth-Token"] {
            assert!(is_credential(name), "{name}");
        }
        for name in ["Accept", "X-Sender", "NHSD-End-User-Organisation-ODS"] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_recognised() {
        for url in ["postgres://me:pw@host/db", "postgres://host/db?sslmode=require&password=pw", "https://a:@b"] {
            assert!(holds_password(url), "{url}");
        }
        for url in ["postgres://me@host:5432/db", "https://host:8443/a@b:c", "mailto:someone@host", ""] {
            assert!(!holds_password(url), "{url}");
        }
    }
}
