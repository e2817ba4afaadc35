//! Tokens of an expression ([lexical elements](http://hl7.org/fhirpath/N1/#lexical-elements)).

use super::error::SyntaxError;
use super::temporal::Temporal;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, or a word of the grammar.
    Word(Box<str>),
    /// A name in backquotes: never a word of the grammar.
    Quoted(Box<str>),
    String(Box<str>),
    /// Digits, perhaps with a fraction.
    Number(Box<str>),
    Temporal(Temporal),
    /// `$this`, `$index`, `$total`
    Special(Box<str>),
    /// `%name`
    Variable(Box<str>),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 22] =
    ["!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "=", "~", "<", ">", "|", "+", "-", "&", "*", "/"];

/// Words that are operators, and so no names unless in backquotes.
const WORDS: [&str; 11] = ["and", "or", "xor", "implies", "div", "mod", "in", "contains", "is", "as", "true"];

/// Whether a name would be read as something else.
pub(super) fn is_word(name: &str) -> bool {
    WORDS.contains(&name) || name == "false"
}

/// A token with the offset it begins at.
pub(super) type Spanned = (usize, Token);

pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip()?;
        let start = lexer.at;
        let token = lexer.next()?;
        let end = token == Token::End;
        found.push((start, token));
        if end {
            return Ok(found);
        }
    }
}

fn fail<T>(offset: usize, message: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError { offset, message: message.into() })
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Takes characters as long as they fit.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|letter| !fits(letter)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// White space and comments.
    fn skip(&mut self) -> Result<(), SyntaxError> {
        loop {
            self.take(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take(|letter| letter != '\n' && letter != '\r');
            } else if self.rest().starts_with("/*") {
                match self.rest().find("*/") {
                    Some(length) => self.at += length + 2,
                    None => return fail(self.at, "the comment that begins here has no end"),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Token, SyntaxError> {
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        match first {
            '\'' => self.quoted('\'').map(Token::String),
            '"' => self.quoted('"').map(Token::String),
            '`' => self.quoted('`').map(Token::Quoted),
            '@' => self.temporal(),
            '$' => {
                self.at += 1;
                let name = self.take(|letter| letter.is_ascii_alphanumeric());
                match name {
                    "this" | "index" | "total" => Ok(Token::Special(name.into())),
                    _ => fail(self.at, "after '$' comes 'this', 'index' or 'total'"),
                }
            }
            '%' => self.variable(),
            '0'..='9' => Ok(self.number()),
            first if first.is_alphabetic() || first == '_' => {
                Ok(Token::Word(self.take(|letter| letter.is_alphanumeric() || letter == '_').into()))
            }
            _ => match SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Ok(Token::Symbol(symbol))
                }
                None => fail(self.at, format!("'{first}' has no meaning here")),
            },
        }
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        self.take(|letter| letter.is_ascii_digit());
        let fraction = self.rest().strip_prefix('.').and_then(|rest| rest.chars().next());
        // `1.5`, but not `1.convertsToInteger()`.
        if fraction.is_some_and(|letter| letter.is_ascii_digit()) {
            self.at += 1;
            self.take(|letter| letter.is_ascii_digit());
        }
        Token::Number(self.text[start..self.at].into())
    }

    fn variable(&mut self) -> Result<Token, SyntaxError> {
        self.at += 1;
        let name: Box<str> = match self.rest().chars().next() {
            Some(quote @ ('`' | '\'' | '"')) => self.quoted(quote)?,
            _ => self.take(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-').into(),
        };
        if name.is_empty() {
            return fail(self.at, "after '%' comes the name of a variable");
        }
        Ok(Token::Variable(name))
    }

    fn temporal(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let text = self.take(|letter| letter.is_ascii_digit() || "TZ:+-.".contains(letter));
        // A dot that begins a call is none of the fraction's.
        let is_fraction = |at: usize| text[at + 1..].starts_with(|letter: char| letter.is_ascii_digit());
        let mut length = text.find('.').filter(|&at| !is_fraction(at)).unwrap_or(text.len());
        // Nor is a sign that is followed by something else: `@2014 - 1 year` has spaces, `@2014-01` none.
        while length > 0 && text[..length].ends_with(['+', '-', ':', '.']) {
            length -= 1;
        }
        self.at = start + 1 + length;
        match Temporal::literal_of(&text[..length]) {
            Some(value) => Ok(Token::Temporal(value)),
            None => fail(start, "a date is written @2014-01-25, a time @T14:30:14, both @2014-01-25T14:30:14Z"),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Box<str>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(letter) = self.rest().chars().next() else {
                return fail(start, format!("the text that begins here has no closing {quote}"));
            };
            self.at += letter.len_utf8();
            if letter == quote {
                return Ok(text.into());
            }
            if letter == '\\' {
                text.push(self.escape()?);
            } else {
                text.push(letter);
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let at = self.at - 1;
        let Some(letter) = self.rest().chars().next() else { return fail(at, "after '\\' something must come") };
        self.at += letter.len_utf8();
        Ok(match letter {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'u' => {
                let four = self.rest().get(..4).filter(|four| four.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let code = four.and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let Some(letter) = code.and_then(char::from_u32) else {
                    return fail(at, "after '\\u' come four hexadecimal digits");
                };
                self.at += 4;
                letter
            }
            '\'' | '"' | '`' | '\\' | '/' => letter,
            other => return fail(at, format!("'\\{other}' is no escape; a backslash is written '\\\\'")),
        })
    }
}
