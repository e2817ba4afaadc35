//! From tokens to the tree, by the levels of the [grammar](http://hl7.org/fhirpath/N1/grammar.html).

use std::str::FromStr;

use rust_decimal::Decimal;

use super::ast::{Expr, Kind, Literal, Operator, TYPE_LEVEL, TypeName};
use super::error::SyntaxError;
use super::functions::Function;
use super::lexer::{Spanned, Token, is_word, tokens};
use super::quantity::{Quantity, Unit};

/// Deepest nesting of an expression.
const DEEPEST: usize = 64;

/// Tallest tree: what follows it by recursion, its end included, has the stack of a thread. A chain such as `a.a.a` or
/// `1 + 1 + 1` makes it one taller with each part.
const TALLEST: u32 = 512;

/// Words that name things although they are operators too.
const NAMES: [&str; 4] = ["as", "contains", "in", "is"];

pub(super) fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let root = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(root),
        _ => parser.fail("an operator or the end of the expression"),
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        // The last token is the end, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)].1
    }

    fn offset(&self) -> usize {
        self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn fail<T>(&self, expected: &str) -> Result<T, SyntaxError> {
        let found = match self.peek() {
            Token::Word(word) => format!("'{word}'"),
            Token::Quoted(name) => format!("`{name}`"),
            Token::String(_) => "a text".to_owned(),
            Token::Number(number) => format!("'{number}'"),
            Token::Temporal(_) => "a date or time".to_owned(),
            Token::Special(name) => format!("'${name}'"),
            Token::Variable(name) => format!("'%{name}'"),
            Token::Symbol(symbol) => format!("'{symbol}'"),
            Token::End => "the end".to_owned(),
        };
        Err(SyntaxError { offset: self.offset(), message: format!("here is {found}, and {expected} was expected") })
    }

    fn symbol(&mut self, symbol: &'static str) -> Result<(), SyntaxError> {
        if *self.peek() == Token::Symbol(symbol) {
            self.at += 1;
            return Ok(());
        }
        self.fail(&format!("'{symbol}'"))
    }

    /// Operators that bind at least as strongly as `level`.
    fn expression(&mut self, level: u8) -> Result<Expr, SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError {
                offset: self.offset(),
                message: "the expression is nested too deeply".to_owned(),
            });
        }
        let mut left = self.polarity()?;
        loop {
            let at = self.offset();
            if let Some(is) = self.type_operator().filter(|_| TYPE_LEVEL >= level) {
                self.at += 1;
                let name = self.type_name()?;
                left = part(at, Kind::Type { is, of: Box::new(left), name })?;
                continue;
            }
            let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= level) else { break };
            self.at += 1;
            let right = self.expression(binds + 1)?;
            left = part(at, Kind::Binary { operator, left: Box::new(left), right: Box::new(right) })?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn type_operator(&self) -> Option<bool> {
        match self.peek() {
            Token::Word(word) => match &**word {
                "is" => Some(true),
                "as" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let text: &str = match self.peek() {
            Token::Word(word) => word,
            Token::Symbol(symbol) => symbol,
            _ => return None,
        };
        Operator::ALL.iter().find(|(_, known, _)| *known == text).map(|(operator, _, level)| (*operator, *level))
    }

    /// `-` and `+` bind more strongly than every operator, and less than a dot.
    fn polarity(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.offset();
        let mut signs = Vec::new();
        while let Token::Symbol(sign @ ("-" | "+")) = self.peek() {
            signs.push(*sign == "-");
            self.at += 1;
            if signs.len() > DEEPEST {
                return self.fail("fewer signs");
            }
        }
        let mut expression = self.path()?;
        for negative in signs.into_iter().rev() {
            let of = Box::new(expression);
            expression = part(at, if negative { Kind::Negative(of) } else { Kind::Positive(of) })?;
        }
        Ok(expression)
    }

    /// A term with what is invoked on it.
    fn path(&mut self) -> Result<Expr, SyntaxError> {
        let mut from = self.term()?;
        loop {
            let at = self.offset();
            match self.peek() {
                Token::Symbol(".") => {
                    self.at += 1;
                    from = self.invocation(Some(from))?;
                }
                Token::Symbol("[") => {
                    self.at += 1;
                    let index = Box::new(self.expression(0)?);
                    self.symbol("]")?;
                    from = part(at, Kind::Indexer { from: Box::new(from), index })?;
                }
                _ => return Ok(from),
            }
        }
    }

    fn term(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.offset();
        let kind = match self.peek().clone() {
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.symbol(")")?;
                return Ok(inner);
            }
            Token::Symbol("{") => {
                self.at += 1;
                self.symbol("}")?;
                Kind::Empty
            }
            Token::String(text) => {
                self.at += 1;
                Kind::Literal(Literal::String(text))
            }
            Token::Number(digits) => {
                self.at += 1;
                return self.number(at, &digits);
            }
            Token::Temporal(value) => {
                self.at += 1;
                Kind::Literal(Literal::Temporal(value))
            }
            Token::Variable(name) => {
                self.at += 1;
                Kind::Variable(name)
            }
            Token::Word(word) if matches!(&*word, "true" | "false") => {
                self.at += 1;
                Kind::Literal(Literal::Boolean(&*word == "true"))
            }
            _ => return self.invocation(None),
        };
        part(at, kind)
    }

    fn number(&mut self, at: usize, digits: &str) -> Result<Expr, SyntaxError> {
        let too_large = || SyntaxError { offset: at, message: "the number is too large".to_owned() };
        let unit = match self.peek() {
            Token::String(unit) => Some(Unit::Ucum(unit.clone())),
            Token::Word(word) => Unit::calendar(word),
            _ => None,
        };
        let decimal = || Decimal::from_str(digits).map_err(|_| too_large());
        let literal = if let Some(unit) = unit {
            self.at += 1;
            Literal::Quantity(Quantity { value: decimal()?, unit })
        } else if digits.contains('.') {
            Literal::Decimal(decimal()?)
        } else {
            Literal::Integer(digits.parse().map_err(|_| too_large())?)
        };
        part(at, Kind::Literal(literal))
    }

    /// A member or a call, on `from` or on what is in focus.
    fn invocation(&mut self, from: Option<Expr>) -> Result<Expr, SyntaxError> {
        let at = self.offset();
        let from = from.map(Box::new);
        let name = match self.peek().clone() {
            Token::Special(name) if from.is_none() => {
                self.at += 1;
                let kind = match &*name {
                    "this" => Kind::This,
                    "index" => Kind::Index,
                    _ => Kind::Total,
                };
                return part(at, kind);
            }
            Token::Special(name) if &*name == "this" => {
                // `a.$this` is `a`.
                self.at += 1;
                let function = function("select", at)?;
                let kind = Kind::Call { from, function, arguments: vec![part(at, Kind::This)?] };
                return part(at, kind);
            }
            Token::Word(word) if !is_word(&word) || NAMES.contains(&&*word) => word,
            Token::Quoted(name) => name,
            _ => {
                return self.fail(if from.is_some() {
                    "the name of an element or function"
                } else {
                    "a value or a name"
                });
            }
        };
        self.at += 1;
        if *self.peek() != Token::Symbol("(") {
            return part(at, Kind::Member { from, name });
        }
        let function = function(&name, at)?;
        self.at += 1;
        let mut arguments = Vec::new();
        if *self.peek() != Token::Symbol(")") {
            arguments.push(self.expression(0)?);
            while *self.peek() == Token::Symbol(",") {
                self.at += 1;
                arguments.push(self.expression(0)?);
            }
        }
        self.symbol(")")?;
        part(at, Kind::Call { from, function, arguments })
    }

    fn type_name(&mut self) -> Result<TypeName, SyntaxError> {
        let first = self.plain_name()?;
        if *self.peek() != Token::Symbol(".") {
            return Ok(TypeName { namespace: None, name: first });
        }
        self.at += 1;
        Ok(TypeName { namespace: Some(first), name: self.plain_name()? })
    }

    fn plain_name(&mut self) -> Result<Box<str>, SyntaxError> {
        match self.next() {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => {
                self.at -= 1;
                self.fail("the name of a type")
            }
        }
    }
}

/// A part of the tree, unless the tree becomes too tall.
fn part(at: usize, kind: Kind) -> Result<Expr, SyntaxError> {
    let expression = Expr::new(at, kind);
    if expression.height > TALLEST {
        return Err(SyntaxError { offset: at, message: "the expression has too many parts in a row".to_owned() });
    }
    Ok(expression)
}

fn function(name: &str, at: usize) -> Result<Function, SyntaxError> {
    Function::named(name).ok_or_else(|| {
        let meant = Function::nearest(name).map(|meant| format!("; did you mean '{meant}'?")).unwrap_or_default();
        SyntaxError { offset: at, message: format!("there is no function '{name}'{meant}") }
    })
}
