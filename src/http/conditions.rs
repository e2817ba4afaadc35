//! Preconditions: `If-None-Exist` of a [conditional create](https://hl7.org/fhir/R4/http.html#ccreate) and `If-Match`
//! of a [version-aware update](https://hl7.org/fhir/R4/http.html#concurrency). They are carried to the destination;
//! one that we would have to ignore is refused.

use axum::http::{HeaderMap, HeaderName, header};

use super::single::single;
use crate::exchange::{Conditions, Interaction};
use crate::rejection::Rejection;

/// Reads the preconditions of an interaction; `None` stands for one that stores nothing and takes none.
///
/// # Errors
/// `InvalidValue` for one that is badly written or does not belong to this interaction, `NotImplemented` for one that
/// we do not carry.
pub(super) fn read(headers: &HeaderMap, interaction: Option<Interaction>) -> Result<Conditions, Rejection> {
    let if_none_exist = single(headers, &HeaderName::from_static("if-none-exist"), "If-None-Exist")?;
    let if_match = single(headers, &header::IF_MATCH, "If-Match")?;
    for (name, shown) in
        [(header::IF_NONE_MATCH, "If-None-Match"), (header::IF_UNMODIFIED_SINCE, "If-Unmodified-Since")]
    {
        if interaction.is_some() && headers.contains_key(name) {
            return Err(Rejection::NotImplemented(format!("{shown} is not carried to destinations")));
        }
    }
    check(if_none_exist, if_match, interaction)
}

/// Checks the preconditions of an interaction, from headers or from the entry of a batch.
///
/// # Errors
/// `InvalidValue` for one that is badly written or does not belong to this interaction.
pub(super) fn check(
    if_none_exist: Option<&str>,
    if_match: Option<&str>,
    interaction: Option<Interaction>,
) -> Result<Conditions, Rejection> {
    if if_none_exist.is_some() && interaction != Some(Interaction::Create) {
        return invalid("If-None-Exist belongs to a create (POST [base]/{type}) only");
    }
    if if_match.is_some() && interaction != Some(Interaction::Update) {
        return invalid("If-Match belongs to an update (PUT [base]/{type}/{id}) only");
    }
    if if_none_exist.is_some_and(|search| search.trim().is_empty()) {
        return invalid("If-None-Exist must hold search parameters, such as identifier=system|value");
    }
    if if_match.is_some_and(|version| !is_version(version)) {
        return invalid("If-Match must hold one version, such as W/\"3\"");
    }
    Ok(Conditions { if_none_exist: if_none_exist.map(str::to_owned), if_match: if_match.map(str::to_owned) })
}

fn invalid(sentence: &str) -> Result<Conditions, Rejection> {
    Err(Rejection::InvalidValue(sentence.to_owned()))
}

/// An [entity tag](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3), or `*` for any version.
fn is_version(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text == "*" || inner.is_some_and(|version| !version.is_empty() && !version.contains(['"', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_precondition_is_carried_as_written() {
        let create = read(&with("if-none-exist", "identifier=x|1"), Some(Interaction::Create)).unwrap();
        assert_eq!(create.if_none_exist.as_deref(), Some("identifier=x|1"));
        for version in ["W/\"3\"", "\"3\"", "*"] {
            let update = read(&with("if-match", version), Some(Interaction::Update)).unwrap();
            assert_eq!(update.if_match.as_deref(), Some(version));
        }
    }

    #[test]
    fn a_precondition_in_the_wrong_place_is_a_bad_value() {
        let wrong = [
            ("if-none-exist", "a=b", Some(Interaction::Update)),
            ("if-none-exist", "a=b", None),
            ("if-none-exist", " ", Some(Interaction::Create)),
            ("if-match", "W/\"3\"", Some(Interaction::Create)),
            ("if-match", "W/\"3\"", None),
            ("if-match", "3", Some(Interaction::Update)),
            ("if-match", "W/\"3\", W/\"4\"", Some(Interaction::Update)),
            ("if-match", "\"\"", Some(Interaction::Update)),
        ];
        for (name, value, interaction) in wrong {
            let rejection = read(&with(name, value), interaction).unwrap_err();
            assert!(matches!(rejection, Rejection::InvalidValue(_)), "{name}: {value}");
        }
    }

    #[test]
    fn a_precondition_we_cannot_carry_is_refused_not_ignored() {
        for name in ["if-none-match", "if-unmodified-since"] {
            let rejection = read(&with(name, "*"), Some(Interaction::Update)).unwrap_err();
            assert!(matches!(rejection, Rejection::NotImplemented(_)), "{name}");
        }
    }
}
