//! [HTML in text](https://hl7.org/fhir/R4/security.html#narrative): a reader that shows a name or a description as it is
//! written would run what stands in it. What merely has a `<` in it is no HTML.

use super::{Finding, Rule};
use crate::issue::{IssueCode, Severity};

/// Elements that load or run something wherever they stand.
const ACTIVE: [&str; 14] = [
    "script", "iframe", "object", "embed", "svg", "img", "style", "link", "meta", "base", "form", "input", "video",
    "audio",
];

/// Whether the text holds an element of HTML: one that acts, or one that is opened and closed.
fn is_html(text: &str) -> bool {
    let tags = text.match_indices('<').map(|(at, _)| &text[at + 1..]);
    tags.into_iter().any(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && after.starts_with(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/'));
        let acts = || ACTIVE.iter().any(|active| active.eq_ignore_ascii_case(name));
        let closes =
            |close: &str| close.len() > end && close.is_char_boundary(end) && close[..end].eq_ignore_ascii_case(name);
        begins && after.contains('>') && (acts() || after.match_indices("</").any(|(at, _)| closes(&after[at + 2..])))
    })
}

/// Text that looks like HTML.
pub(crate) fn check(text: &str, severity: Severity) -> Option<Finding> {
    let message = "This text holds HTML, which a reader that shows it as it is would run.";
    is_html(text).then(|| Finding { severity, ..Finding::error(Rule::Security, IssueCode::Invalid, message) })
}

#[cfg(test)]
mod tests {
    use super::is_html;

    #[test]
    fn what_is_opened_and_closed_or_acts_is_html() {
        for text in
            ["<b>x</b>", "a <SCRIPT>x()</script>", "<a href='x'>y</a>", "<img src=x onerror=y>", "<svg/onload=x>"]
        {
            assert!(is_html(text), "{text}");
        }
        for text in [
            "a < b > c",
            "x <y",
            "5<x>6",
            "<>",
            "<",
            "</p>",
            "<1>a</1>",
            "<br>",
            "fever <38, pulse >60",
            "<é></é>",
            "<b>é",
        ] {
            assert!(!is_html(text), "{text}");
        }
    }
}
