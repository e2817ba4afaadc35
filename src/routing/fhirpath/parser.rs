//! Reads a condition ([grammar](https://hl7.org/fhirpath/N1/grammar.html)). What FHIRPath has and we do not is told
//! with its column and what there is instead.

use super::ParseError;
use super::ast::{Expression, Function, Literal, Operator, Start, Step, StepKind};
use super::decimal::Decimal;
use super::lexer::{Kind, Token, tokens};
use super::temporal::Temporal;

/// Most words and signs, and deepest nesting of parentheses: far beyond what a person writes, and safe for the stack.
const MAX_TOKENS: usize = 1000;
const MAX_DEPTH: usize = 40;

const FUNCTIONS: [&str; 14] = [
    "all",
    "contains",
    "count",
    "empty",
    "endsWith",
    "exists",
    "extension",
    "first",
    "is",
    "last",
    "not",
    "ofType",
    "startsWith",
    "where",
];

/// Reads a whole condition.
pub(super) fn parse(text: &str) -> Result<Expression, ParseError> {
    let tokens = tokens(text)?;
    if let Some(token) = tokens.get(MAX_TOKENS) {
        return Err(error(token.column, format!("a condition has at most {MAX_TOKENS} words and signs")));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.expression(0)?;
    match parser.peek() {
        Kind::End => Ok(expression),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn token(&self) -> Option<&Token> {
        self.tokens.get(self.at).or(self.tokens.last())
    }

    fn peek(&self) -> &Kind {
        self.token().map_or(&Kind::End, |token| &token.kind)
    }

    fn column(&self) -> usize {
        self.token().map_or(1, |token| token.column)
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Kind::Sign(found) if *found == sign);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(sign)) }
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        let found = match self.peek() {
            Kind::End => "the end".to_owned(),
            Kind::Name(name) | Kind::Quoted(name) => format!("'{name}'"),
            Kind::Sign(sign @ ("+" | "-" | "*" | "/" | "&" | "~" | "!~")) => {
                return error(self.column(), format!("'{sign}' is not supported in conditions"));
            }
            Kind::Sign(sign) => format!("'{sign}'"),
            Kind::Text(_) => "a text".to_owned(),
            Kind::Number(_) => "a number".to_owned(),
            Kind::Time(_) => "a date".to_owned(),
            Kind::Dollar(name) => format!("'${name}'"),
            Kind::Percent(name) => format!("'%{name}'"),
        };
        error(self.column(), format!("expected {expected}, found {found}"))
    }

    /// An expression of operators that bind more tightly than `strength`.
    fn expression(&mut self, strength: u8) -> Result<Expression, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(self.column(), format!("nested more than {MAX_DEPTH} deep")));
        }
        let mut left = self.path()?;
        loop {
            let word = match self.peek() {
                Kind::Name(word) => word.as_str(),
                Kind::Sign(sign) => sign,
                _ => break,
            };
            if matches!(word, "as" | "div" | "mod") {
                return Err(error(self.column(), format!("'{word}' is not supported in conditions")));
            }
            let Some(operator) = Operator::written(word).filter(|operator| operator.strength() > strength) else {
                break;
            };
            let column = self.column();
            self.at += 1;
            let right = self.expression(operator.strength())?;
            left = Expression::Binary { operator, column, left: Box::new(left), right: Box::new(right) };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A term, its steps, and `is T`, which binds more tightly than every operator we have.
    fn path(&mut self) -> Result<Expression, ParseError> {
        let mut steps = Vec::new();
        let start = self.start(&mut steps)?;
        loop {
            let column = self.column();
            if self.take(".") {
                let column = self.column();
                let name = self.name("an element or a function")?;
                steps.push(self.named(column, name, false)?);
            } else if self.take("[") {
                let Kind::Number(index) = self.peek() else { return Err(self.unexpected("a number from 0")) };
                let index = index.parse().map_err(|_| self.unexpected("a whole number from 0"))?;
                self.at += 1;
                self.expect("]")?;
                steps.push(Step { column, kind: StepKind::Index(index) });
            } else if *self.peek() == Kind::Name("is".to_owned()) {
                self.at += 1;
                steps.push(Step { column, kind: StepKind::Is(self.type_name()?) });
            } else {
                return Ok(Expression::Path { start, steps });
            }
        }
    }

    fn start(&mut self, steps: &mut Vec<Step>) -> Result<Start, ParseError> {
        let column = self.column();
        let kind = self.peek().clone();
        self.at += 1;
        Ok(match kind {
            Kind::Sign("(") => {
                let group = self.expression(0)?;
                self.expect(")")?;
                Start::Group(Box::new(group))
            }
            Kind::Sign("{") => {
                self.expect("}")?;
                Start::Empty
            }
            Kind::Sign(sign @ ("-" | "+")) => match self.peek().clone() {
                Kind::Number(digits) => {
                    self.at += 1;
                    let text = if sign == "-" { format!("-{digits}") } else { digits };
                    Start::Literal(Literal::Number(number(column, &text)?))
                }
                _ => return Err(self.unexpected("a number")),
            },
            Kind::Number(digits) => Start::Literal(Literal::Number(number(column, &digits)?)),
            Kind::Text(text) => Start::Literal(Literal::Text(text)),
            Kind::Time(text) => match Temporal::parse(&text) {
                Some(_) => Start::Literal(Literal::Time(text)),
                None => return Err(error(column, "a date is written @2024-05-31 or @2024-05-31T09:30:00Z".to_owned())),
            },
            Kind::Dollar(name) if name == "this" => Start::This,
            Kind::Percent(name) if name == "resource" => Start::Resource,
            Kind::Dollar(_) | Kind::Percent(_) => {
                return Err(error(column, "only $this and %resource are supported in conditions".to_owned()));
            }
            Kind::Name(name) if name == "true" || name == "false" => Start::Literal(Literal::Boolean(name == "true")),
            Kind::Name(name) | Kind::Quoted(name) => {
                steps.push(self.named(column, name, true)?);
                Start::This
            }
            Kind::Sign(_) | Kind::End => {
                self.at -= 1;
                return Err(self.unexpected("a path, a value or '('"));
            }
        })
    }

    fn name(&mut self, expected: &str) -> Result<String, ParseError> {
        match self.peek().clone() {
            Kind::Name(name) | Kind::Quoted(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// An element, or a function when a parenthesis follows.
    fn named(&mut self, column: usize, name: String, head: bool) -> Result<Step, ParseError> {
        let kind = if self.take("(") {
            let kind = self.call(column, &name)?;
            self.expect(")")?;
            kind
        } else if head {
            StepKind::Head(name)
        } else {
            StepKind::Member(name)
        };
        Ok(Step { column, kind })
    }

    fn call(&mut self, column: usize, name: &str) -> Result<StepKind, ParseError> {
        Ok(StepKind::Call(match name {
            "count" => Function::Count,
            "empty" => Function::Empty,
            "first" => Function::First,
            "last" => Function::Last,
            "not" => Function::Not,
            "exists" if matches!(self.peek(), Kind::Sign(")")) => Function::Exists(None),
            "exists" => Function::Exists(Some(self.expression(0)?)),
            "all" => Function::All(self.expression(0)?),
            "contains" => Function::Contains(self.expression(0)?),
            "endsWith" => Function::EndsWith(self.expression(0)?),
            "extension" => Function::Extension(self.expression(0)?),
            "startsWith" => Function::StartsWith(self.expression(0)?),
            "where" => Function::Where(self.expression(0)?),
            "ofType" => Function::OfType(self.type_name()?),
            "is" => return Ok(StepKind::Is(self.type_name()?)),
            _ => {
                let message = format!("there is no function '{name}' in conditions, only {}", FUNCTIONS.join(", "));
                return Err(error(column, message));
            }
        }))
    }

    /// `Patient` or `FHIR.Patient`
    fn type_name(&mut self) -> Result<String, ParseError> {
        let column = self.column();
        let name = self.name("the name of a FHIR type")?;
        if name == "System" {
            return Err(error(column, "only types of FHIR are supported in conditions".to_owned()));
        }
        if name == "FHIR" && self.take(".") { self.name("the name of a FHIR type") } else { Ok(name) }
    }
}

fn number(column: usize, text: &str) -> Result<Decimal, ParseError> {
    Decimal::parse(text).ok_or_else(|| error(column, "this is not a number".to_owned()))
}

fn error(column: usize, message: String) -> ParseError {
    ParseError { column, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(text: &str) -> String {
        parse(text).err().map_or("none".to_owned(), |error| error.to_string())
    }

    #[test]
    fn what_is_not_supported_is_told_with_its_column() {
        insta::assert_snapshot!(
            [
                "name.lower()",
                "a + b",
                "a ~ b",
                "a as Patient",
                "%context.x",
                "$index = 1",
                "a[-1]",
                "a[b]",
                "@2024-13",
                "'open",
                "a = ",
                "a.",
                "(a",
                "a b",
                "a # b",
                "a is System.String",
                "where()",
                "ofType('x')",
                "/* open",
                r"'\x'",
                "a = \"b\""
            ]
            .map(|text| format!("{text}\n  {}", complaint(text)))
            .join("\n")
        );
    }

    #[test]
    fn nesting_and_length_have_limits() {
        let nested = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
        let long = vec!["a"; 2000].join(" | ");
        assert!(parse(&nested).is_err() && parse(&long).is_err());
        assert!(parse(&vec!["a"; 400].join(".")).is_ok() && parse(&vec!["a"; 400].join(" or ")).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn no_string_of_its_own_words_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
            "a", ".", "(", ")", "[", "0", "]", "'x'", "=", "and", "where", "is", "@2024", "-", "|", "{", "}", "`b`", "\\", "$this", "'",
        ]), 0..40)) {
            let _ = parse(&words.concat());
            let _ = parse(&words.join(" "));
        }
    }
}
