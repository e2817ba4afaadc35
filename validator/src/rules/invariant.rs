//! [Invariants](https://hl7.org/fhir/R4/conformance-rules.html#constraints): FHIRPath that must hold, parsed when it is
//! first asked for. Those that every element has are judged natively: ele-1, ext-1, dom-2 to dom-5, txt-1 and txt-2.

use std::sync::OnceLock;

use super::contained::Contents;
use super::{Finding, Rule};
use crate::definition::Invariant;
use crate::fhirpath::{Context, EvaluationError, Expression, Item};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;

/// Judged elsewhere; dom-6 is good practice and no rule.
const NATIVE: [&str; 9] = ["ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "txt-1", "txt-2"];

/// Invariants that R4 states so that they fail where there is nothing to judge, as the next releases restate them.
const RESTATED: [(&str, &str); 5] = [
    (
        "enableWhen.count() > 2 implies enableBehavior.exists()",
        "enableWhen.count() > 1 implies enableBehavior.exists()",
    ),
    ("operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"),
    ("fullUrl.contains('/_history/').not()", "fullUrl.exists() implies fullUrl.contains('/_history/').not()"),
    (
        "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
        "name.exists() implies name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')",
    ),
    (
        "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
        "reference.exists() implies (reference.startsWith('#').not() or (reference.substring(1) in \
         %rootResource.contained.id) or (reference = '#' and %rootResource != %resource))",
    ),
];

/// Longest expression that a message shows.
const SHOWN: usize = 200;

/// An invariant of an element.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) key: Box<str>,
    is_error: bool,
    source: Box<str>,
    parsed: OnceLock<Option<Expression>>,
    /// It asks whether a local reference leads to something here (ref-1), which the walk knows without a search.
    is_local_reference: bool,
}

/// Those of an element that are judged here.
pub(crate) fn compiled<'i>(invariants: impl IntoIterator<Item = &'i Invariant>) -> Box<[Compiled]> {
    let judged = invariants.into_iter().filter(|invariant| !NATIVE.contains(&invariant.key.as_str()));
    let compiled = judged.filter_map(|invariant| {
        Some(Compiled {
            key: invariant.key.as_str().into(),
            is_error: invariant.is_error,
            source: restated(invariant.expression.as_deref()?).into(),
            parsed: OnceLock::new(),
            is_local_reference: invariant.key == "ref-1" && invariant.expression.as_deref() == Some(RESTATED[4].0),
        })
    });
    compiled.collect()
}

impl Compiled {
    /// Judges an element: nothing when the invariant holds. `resources`: the resource that it stands in, and the one
    /// around that, which has these `contents`.
    pub(crate) fn judge<'d>(
        &self,
        context: &Context<'d>,
        (value, focus): (Value<'d>, &Item<'d>),
        resources: (Value<'d>, Value<'d>),
        contents: &Contents<'d>,
    ) -> Option<Finding> {
        if self.is_local_reference {
            let text = value.str_at(&["reference"]);
            let leads = match text.as_deref().and_then(|text| text.strip_prefix('#')) {
                None => true,
                Some("") => resources.0.index() != resources.1.index(),
                Some(id) => contents.get(id).is_some(),
            };
            return (!leads).then(|| self.broken());
        }
        let Some(expression) = self.parsed.get_or_init(|| Expression::parse(&self.source).ok()) else {
            let fault = Expression::parse(&self.source).err().map(|error| error.to_string()).unwrap_or_default();
            return Some(self.faulty(&fault));
        };
        match expression.holds_at(context, focus, resources) {
            Ok(true) => None,
            Ok(false) => Some(self.broken()),
            Err(error) => Some(self.faulty(&describe(&error))),
        }
    }

    /// The expression.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    fn broken(&self) -> Finding {
        let severity = if self.is_error { Severity::Error } else { Severity::Warning };
        let message = format!("This must hold, and does not ({}): {}", self.key, shortened(&self.source));
        Finding { rule: Rule::Invariant, severity, code: IssueCode::Invariant, message }
    }

    fn faulty(&self, fault: &str) -> Finding {
        let message = format!("The invariant {} is not checked: its expression cannot be evaluated: {fault}", self.key);
        Finding { rule: Rule::Invariant, severity: Severity::Warning, code: IssueCode::Exception, message }
    }
}

fn restated(expression: &str) -> String {
    let found = RESTATED.iter().find(|(published, _)| *published == expression).map(|(_, later)| *later);
    // Patterns of paths are meant for the whole path, and `matches` is content with a part.
    let whole = || expression.strip_prefix("path.matches('")?.strip_suffix("')");
    match (found, whole()) {
        (Some(later), _) => later.to_owned(),
        (None, Some(pattern)) => format!("path.matches('^(?:{pattern})$')"),
        (None, None) => expression.to_owned(),
    }
}

fn describe(error: &EvaluationError) -> String {
    format!("at offset {}, {error}", error.offset)
}

fn shortened(source: &str) -> String {
    let mut short: String = source.chars().take(SHOWN).collect();
    if short.len() < source.len() {
        short.push('…');
    }
    short
}
