//! The XHTML of a [Narrative](https://hl7.org/fhir/R4/narrative.html#xhtml): well formed, of the elements and attributes
//! that are allowed, without anything that acts.

mod allowed;
mod reader;

use super::{Finding, Rule};
use crate::issue::IssueCode;
use reader::{Problem, Read};

/// Whether the text is one `div` of allowed XHTML: the function `htmlChecks()`.
pub(crate) fn is_safe(text: &str) -> bool {
    let read = reader::read(text);
    !read.problems.iter().any(|problem| problem.breaks_txt_1() || *problem == Problem::Acts)
}

/// Whether the narrative says something: the function `htmlChecks2()`.
pub(crate) fn has_content(text: &str) -> bool {
    reader::read(text).shown
}

/// How many elements of a narrative have this id.
pub(crate) fn count_ids(text: &str, id: &str) -> usize {
    reader::read(text).anchors.iter().filter(|anchor| **anchor == id).count()
}

/// What is wrong with a narrative, once each; `is_here` says whether something has the id that a link in it leads to.
pub(crate) fn check(text: &str, is_here: impl Fn(&str) -> bool) -> Vec<Finding> {
    let Read { problems, shown, links, anchors } = reader::read(text);
    let error = |code, message: &str| Finding::error(Rule::Narrative, code, message);
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    for problem in &problems {
        if problem.breaks_txt_1() {
            let message =
                "A narrative holds only basic XHTML: see the elements and attributes that are allowed (txt-1).";
            add(error(IssueCode::Invariant, message));
        }
        let code = if matches!(problem, Problem::Misplaced(_)) { IssueCode::Structure } else { IssueCode::Invalid };
        add(error(code, &problem.to_string()));
    }
    if !shown {
        add(error(IssueCode::Invariant, "A narrative says something (txt-2)."));
    }
    if links.iter().any(|link| !anchors.contains(link) && !is_here(link)) {
        add(error(IssueCode::Invalid, "A link or image of the narrative leads to an id that is not here."));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const XMLNS: &str = "xmlns=\"http://www.w3.org/1999/xhtml\"";

    #[test]
    fn a_plain_narrative_is_safe_and_says_something() {
        let text = format!("<div {XMLNS}><p class='a'>Ada &amp; Ben&nbsp;<br/><!-- x --><b>3 &#60; 4</b></p></div>");
        assert!(is_safe(&text) && has_content(&text));
    }

    #[test]
    fn what_acts_or_is_broken_is_not_safe() {
        for inner in [
            "<script>alert(1)</script>",
            "<p onclick='x()'>a</p>",
            "<a href='java script:alert(1)'>a</a>",
            "<p>a</b>",
            "<p>a",
            "a & b",
            "<form><input/></form>",
            "<p class=a>x</p>",
        ] {
            assert!(!is_safe(&format!("<div {XMLNS}>{inner}</div>")), "{inner}");
        }
        assert!(!is_safe("<p>a</p>") && !is_safe("") && !is_safe("<div>a</div><div>b</div>"));
    }

    #[test]
    fn an_empty_narrative_says_nothing() {
        assert!(!has_content(&format!("<div {XMLNS}> <p/> </div>")));
        assert!(has_content(&format!("<div {XMLNS}><img src='a.png' alt='a'/></div>")));
    }
}
