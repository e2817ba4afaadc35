//! What becomes of a message in which something was found: the policy of its source, by severity
//! ([OperationOutcome.issue.severity](https://hl7.org/fhir/R4/valueset-issue-severity.html)). Remarks decide nothing.

use crate::config::source::{Source, Verdict};
use crate::outcome::Issue;

/// The strictest of what the policy says about these issues.
pub(super) fn verdict(source: Option<&Source>, issues: &[Issue]) -> Verdict {
    let (on_error, on_warning) =
        source.map_or((Verdict::Reject, Verdict::AcceptAndFlag), |source| (source.on_error, source.on_warning));
    let of = |issue: &Issue| match issue.severity.as_str() {
        "fatal" | "error" => on_error,
        "warning" => on_warning,
        _ => Verdict::AcceptAndFlag,
    };
    issues.iter().map(of).max().unwrap_or(Verdict::AcceptAndFlag)
}

/// The issues of a refusal: where no error is among them, that the policy refuses warnings is one.
pub(super) fn refused(mut issues: Vec<Issue>) -> Vec<Issue> {
    if !issues.iter().any(Issue::is_error) {
        let sentence = "Messages with warnings are refused from this source: see the warnings here.";
        issues.insert(0, Issue::error("business-rule", sentence));
    }
    issues
}

/// Why a message is held, for operators and its sender: how much was found of what the policy holds.
pub(super) fn reason(source: Option<&Source>, issues: &[Issue]) -> String {
    let count = |what: &str, policy: Verdict, counts: fn(&Issue) -> bool| {
        let count = issues.iter().filter(|issue| counts(issue)).count();
        let (verb, plural) = if count == 1 { ("was", "") } else { ("were", "s") };
        (policy == Verdict::Quarantine && count > 0).then(|| format!("{count} {what}{plural} {verb} found"))
    };
    let of = |of: fn(&Source) -> Verdict| source.map_or(Verdict::AcceptAndFlag, of);
    let errors = count("error", of(|source| source.on_error), Issue::is_error);
    let warnings = count("warning", of(|source| source.on_warning), |issue| issue.severity == "warning");
    let found: Vec<String> = errors.into_iter().chain(warnings).collect();
    format!("by the policy of its source: {}", found.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(on_error: Verdict, on_warning: Verdict) -> Source {
        let plain = toml::from_str("ods = \"RX1\"").unwrap();
        Source { on_error, on_warning, ..plain }
    }

    proptest! {
        #[test]
        fn one_more_issue_never_makes_a_verdict_milder(
            picks in proptest::collection::vec(0_usize..4, 0..5), more in 0_usize..4, on_error in 0_usize..VERDICTS.len(),
            on_warning in 0_usize..VERDICTS.len()
        ) {
            let issue = |pick: usize| Issue {
                severity: ["fatal", "error", "warning", "information"][pick].to_owned(), ..Issue::error("invalid", "")
            };
            let source = source(VERDICTS[on_error], VERDICTS[on_warning]);
            let mut issues: Vec<Issue> = picks.into_iter().map(issue).collect();
            let before = verdict(Some(&source), &issues);
            issues.push(issue(more));
            prop_assert!(verdict(Some(&source), &issues) >= before);
        }
    }

    const VERDICTS: [Verdict; 3] = [Verdict::AcceptAndFlag, Verdict::Quarantine, Verdict::Reject];

    #[test]
    fn without_a_policy_errors_refuse_and_warnings_are_flagged() {
        let warning = Issue { severity: "warning".to_owned(), ..Issue::error("invalid", "") };
        let error = Issue::error("invalid", "");
        assert_eq!(verdict(None, std::slice::from_ref(&warning)), Verdict::AcceptAndFlag);
        assert_eq!(verdict(None, &[warning.clone(), error.clone()]), Verdict::Reject);
        assert_eq!(verdict(None, &[]), Verdict::AcceptAndFlag);
        assert_eq!(refused(vec![error]).len(), 1);
        assert!(refused(vec![warning])[0].is_error(), "a refusal names an error");
    }

    #[test]
    fn what_is_held_says_why() {
        let warning = Issue { severity: "warning".to_owned(), ..Issue::error("invalid", "") };
        let issues = [Issue::error("invalid", ""), warning.clone(), warning];
        let why = |on_error, on_warning| reason(Some(&source(on_error, on_warning)), &issues);
        let both = why(Verdict::Quarantine, Verdict::Quarantine);
        assert_eq!(both, "by the policy of its source: 1 error was found and 2 warnings were found");
        let warnings = why(Verdict::AcceptAndFlag, Verdict::Quarantine);
        assert_eq!(warnings, "by the policy of its source: 2 warnings were found");
    }
}
