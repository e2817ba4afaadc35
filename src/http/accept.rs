//! The `Accept` header: whether the sender takes the one format we answer in, `application/fhir+json`
//! ([RFC 9110 §12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1),
//! [FHIR content types](https://hl7.org/fhir/R4/http.html#mime-type)).

use axum::http::{HeaderMap, header};

use super::media_type::{MediaType, split};
use crate::rejection::Rejection;

/// Checks every `Accept` header of the request; none means anything is welcome.
///
/// # Errors
/// `NotAcceptable`
pub(super) fn check(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Ok(());
    }
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    if allows_fhir_json(&texts.join(",")) { Ok(()) } else { Err(Rejection::NotAcceptable) }
}

/// A sender who names only `application/json` takes FHIR's JSON under its own name too, unless he excludes that.
fn allows_fhir_json(accept: &str) -> bool {
    if accept.trim().is_empty() {
        return true;
    }
    let ranges: Vec<MediaType> = split(accept, ',').filter_map(MediaType::parse).filter(MediaType::is_r4).collect();
    let fhir = quality(&ranges, "application/fhir+json");
    fhir.or_else(|| quality(&ranges, "application/json")).is_some_and(|quality| quality > 0.0)
}

/// What the most specific range says of `offer`; `None` when no range is about it.
fn quality(ranges: &[MediaType], offer: &str) -> Option<f32> {
    [offer, "application/*", "*/*"].into_iter().find_map(|name| {
        ranges.iter().filter(|range| range.is(name) && range.is_utf8()).filter_map(weight).reduce(f32::max)
    })
}

fn weight(range: &MediaType) -> Option<f32> {
    let Some(written) = range.parameter("q") else { return Some(1.0) };
    written.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_under_any_of_its_names_is_accepted() {
        for accept in [
            "application/fhir+json",
            "application/json",
            "*/*",
            "application/*",
            "APPLICATION/FHIR+JSON",
            "application/fhir+json; fhirVersion=4.0; charset=utf-8",
            "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
            "application/fhir+xml, application/fhir+json;q=0.1",
            "application/fhir+json;fhirVersion=5.0, application/fhir+json;fhirVersion=4.0",
            "application/fhir+xml;q=0, application/json",
            "",
        ] {
            assert!(allows_fhir_json(accept), "{accept}");
        }
    }

    #[test]
    fn other_formats_versions_and_exclusions_are_not() {
        for accept in [
            "application/fhir+xml",
            "text/*",
            "application/fhir+json;q=0",
            "*/*;q=0",
            "application/fhir+json;q=0.0, */*",
            "application/fhir+json;q=0, application/json",
            "application/fhir+json; fhirVersion=3.0",
            "*/*;fhirVersion=5.0",
            "application/fhir+json;q=2",
            "application/fhir+json;charset=utf-16",
            "nonsense",
        ] {
            assert!(!allows_fhir_json(accept), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn nothing_written_in_a_header_stops_the_reader(accept in "\\PC{0,80}") {
            allows_fhir_json(&accept);
        }

        #[test]
        fn formats_we_lack_change_nothing(
            place in 0_usize..4,
            others in proptest::collection::vec("(text|image)/[a-z]{1,8}(;q=0\\.[0-9])?", 3),
            ours in prop_oneof![Just("application/fhir+json"), Just("application/json;q=0.3"), Just("*/*;q=0"), Just("a/b")],
        ) {
            let mut ranges: Vec<&str> = others.iter().map(String::as_str).collect();
            ranges.insert(place, ours);
            prop_assert_eq!(allows_fhir_json(&ranges.join(", ")), allows_fhir_json(ours));
        }
    }
}
