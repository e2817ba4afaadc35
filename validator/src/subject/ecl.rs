//! The form of SNOMED CT's [expression constraints](https://confluence.ihtsdotools.org/display/DOCECL) in their brief
//! syntax: whether one can be read. What it selects is for a terminology server to say.

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;

type Step = Result<(), &'static str>;

/// What is wrong with a constraint.
pub(super) fn problem(text: &str) -> Option<&'static str> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    match reader.expression() {
        Err(why) => Some(why),
        Ok(()) if reader.rest.is_empty() => None,
        Ok(()) => Some("something follows the expression: parts are joined by AND, OR or MINUS"),
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let Some(comment) = self.rest.strip_prefix("/*") else { return };
            self.rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
        }
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn any(&mut self, tokens: &[&str]) -> bool {
        tokens.iter().any(|token| self.take(token))
    }

    /// A word, whatever its case, with something else behind it.
    fn word(&mut self, words: &[&str]) -> bool {
        self.skip();
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let found = words.iter().any(|word| self.rest[..end].eq_ignore_ascii_case(word));
        if found {
            self.rest = &self.rest[end..];
        }
        found
    }

    fn expect(&mut self, token: &str, why: &'static str) -> Step {
        if self.take(token) { Ok(()) } else { Err(why) }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Step) -> Step {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply");
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn expression(&mut self) -> Step {
        self.nested(|reader| {
            reader.refined()?;
            while reader.word(&["AND", "OR", "MINUS"]) || reader.take(",") {
                reader.refined()?;
            }
            Ok(())
        })
    }

    /// A focus, perhaps with a dot and attributes, filters and a refinement.
    fn refined(&mut self) -> Step {
        self.simple()?;
        while self.take(".") {
            self.simple()?;
        }
        while self.take("{{") {
            let (_, rest) = self.rest.split_once("}}").ok_or("a filter '{{' does not end")?;
            self.rest = rest;
        }
        if self.take(":") { self.refinement() } else { Ok(()) }
    }

    fn simple(&mut self) -> Step {
        self.any(&["<<!", "<!", "<<", "<", ">>!", ">!", ">>", ">", "!!>", "!!<"]);
        self.take("^");
        if self.take("(") {
            self.expression()?;
            return self.expect(")", "a '(' does not end");
        }
        if self.take("*") {
            return Ok(());
        }
        self.concept()
    }

    fn concept(&mut self) -> Step {
        self.skip();
        let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        if !(6..=18).contains(&end) {
            return Err("a concept is an identifier of 6 to 18 digits");
        }
        self.rest = &self.rest[end..];
        if self.take("|") {
            let (_, rest) = self.rest.split_once('|').ok_or("a term '|' does not end")?;
            self.rest = rest;
        }
        Ok(())
    }

    fn refinement(&mut self) -> Step {
        self.nested(|reader| {
            reader.group()?;
            while reader.take(",") || reader.word(&["AND", "OR"]) {
                reader.group()?;
            }
            Ok(())
        })
    }

    fn group(&mut self) -> Step {
        self.cardinality()?;
        if self.take("{") {
            self.refinement()?;
            return self.expect("}", "a '{' does not end");
        }
        if self.rest.starts_with('(') {
            // Either an attribute name in brackets, or a refinement in brackets.
            let before = self.rest;
            if self.attribute().is_ok() {
                return Ok(());
            }
            self.rest = before;
            self.take("(");
            self.refinement()?;
            return self.expect(")", "a '(' does not end");
        }
        self.attribute()
    }

    fn cardinality(&mut self) -> Step {
        if self.take("[") {
            let (inner, rest) = self.rest.split_once(']').ok_or("a '[' does not end")?;
            let (least, most) = inner.split_once("..").ok_or("a cardinality is [least..most]")?;
            let is_count = |text: &str| text.trim().parse::<u32>().is_ok();
            if !is_count(least) || !(is_count(most) || most.trim() == "*") {
                return Err("a cardinality is [least..most]");
            }
            self.rest = rest;
        }
        Ok(())
    }

    fn attribute(&mut self) -> Step {
        self.word(&["R"]);
        self.simple()?;
        if !self.any(&["!=", "<>", "<=", ">=", "=", "<", ">"]) {
            return Err("an attribute is compared by '=' or '!='");
        }
        if self.take("#") {
            let end = self.rest.find(|letter: char| !(letter.is_ascii_digit() || ".+-".contains(letter)));
            let end = end.unwrap_or(self.rest.len());
            let number = &self.rest[..end];
            self.rest = &self.rest[end..];
            return if number.parse::<f64>().is_ok() { Ok(()) } else { Err("a number follows '#'") };
        }
        if self.take("\"") {
            let (_, rest) = self.rest.split_once('"').ok_or("a text does not end")?;
            self.rest = rest;
            return Ok(());
        }
        if self.word(&["true", "false"]) { Ok(()) } else { self.simple() }
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn constraints_as_they_are_written_can_be_read() {
        for good in [
            "404684003",
            "< 404684003 |Clinical finding|",
            "<<! 404684003 OR ^ 700043003",
            "< 19829001 AND < 301867009 AND ^ 700043003",
            "(< 19829001 MINUS << 301867009) OR *",
            "< 404684003: 363698007 = << 39057004, 116676008 = << 415582006",
            "< 404684003: [1..3] { 363698007 = (<< 39057004 OR << 53085002) }, R 47429007 != 138875005",
            "< 763158003 |Medicinal product|: 411116001 = #0.5, 127489000 = \"x\", 1142135004 >= #200",
            "< 125605004 . 363698007",
            "<< 64572001 {{ term = \"heart\" }} : 116676008 = *",
            "/* all */ < 404684003 /* findings */",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for bad in [
            "",
            "234234 << 234234",
            "<",
            "< 12",
            "(< 404684003",
            "< 404684003 AND",
            "< 404684003: 363698007",
            "< 404684003: { 363698007 = *",
            "< 404684003 |Clinical finding",
            "< 404684003: [x..y] 363698007 = *",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
        assert!(problem(&"(".repeat(10_000)).is_some());
    }
}
