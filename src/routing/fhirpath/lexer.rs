//! Words and signs of a condition ([lexical elements](https://hl7.org/fhirpath/N1/#lexical-elements)).

use super::ParseError;

/// A word or sign and the column it starts at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Name(String),
    /// An identifier between backticks, never a keyword.
    Quoted(String),
    Text(String),
    Number(String),
    /// A date or a date and time, without the `@`.
    Time(String),
    /// `$this` and the like.
    Dollar(String),
    /// `%resource` and the like.
    Percent(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 22] =
    ["<=", ">=", "!=", "!~", ".", ",", "(", ")", "[", "]", "{", "}", "=", "<", ">", "|", "~", "+", "-", "*", "/", "&"];

/// Splits a condition; the last token is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space()?;
        let column = lexer.at + 1;
        let kind = lexer.next()?;
        let end = kind == Kind::End;
        tokens.push(Token { column, kind });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts(&self, sign: &str) -> bool {
        sign.chars().enumerate().all(|(ahead, char)| self.peek(ahead) == Some(char))
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let taken: String = rest.iter().copied().take_while(|&char| wanted(char)).collect();
        self.at += taken.chars().count();
        taken
    }

    /// White space and comments.
    fn skip_space(&mut self) -> Result<(), ParseError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.starts("//") {
                self.take_while(|char| char != '\n');
            } else if self.starts("/*") {
                let column = self.at + 1;
                while !self.starts("*/") {
                    if self.peek(0).is_none() {
                        return Err(error(column, "this comment has no end: */"));
                    }
                    self.at += 1;
                }
                self.at += 2;
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Kind, ParseError> {
        let Some(first) = self.peek(0) else { return Ok(Kind::End) };
        let in_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        match first {
            '\'' => self.quoted('\'').map(Kind::Text),
            '`' => self.quoted('`').map(Kind::Quoted),
            '0'..='9' => Ok(Kind::Number(self.number())),
            '@' => {
                self.at += 1;
                let in_time = |char: char| char.is_ascii_digit() || matches!(char, '-' | ':' | '.' | '+' | 'T' | 'Z');
                Ok(Kind::Time(self.take_while(in_time)))
            }
            '$' | '%' => {
                self.at += 1;
                let name = self.take_while(in_name);
                Ok(if first == '$' { Kind::Dollar(name) } else { Kind::Percent(name) })
            }
            _ if in_name(first) => Ok(Kind::Name(self.take_while(in_name))),
            _ => match SIGNS.into_iter().find(|sign| self.starts(sign)) {
                Some(sign) => {
                    self.at += sign.len();
                    Ok(Kind::Sign(sign))
                }
                None => Err(error(self.at + 1, "this character has no meaning here; texts stand between 'quotes'")),
            },
        }
    }

    fn number(&mut self) -> String {
        let mut number = self.take_while(|char| char.is_ascii_digit());
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|char| char.is_ascii_digit()) {
            self.at += 1;
            number.push('.');
            number.push_str(&self.take_while(|char| char.is_ascii_digit()));
        }
        number
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let column = self.at + 1;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                None => return Err(error(column, "this text has no closing quote")),
                Some('\\') => text.push(self.escape()?),
                Some(char) => {
                    self.at += 1;
                    if char == quote {
                        return Ok(text);
                    }
                    text.push(char);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let column = self.at + 1;
        let escaped = self.peek(1);
        self.at += 2;
        match escaped {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('f') => Ok('\u{c}'),
            Some(char @ ('\'' | '"' | '`' | '\\' | '/')) => Ok(char),
            Some('u') => {
                let digits = self.chars.get(self.at..self.at + 4).unwrap_or_default();
                let code = digits.iter().try_fold(0, |code, digit| Some(code * 16 + digit.to_digit(16)?));
                self.at += 4;
                let char = code.filter(|_| digits.len() == 4).and_then(char::from_u32);
                char.ok_or_else(|| error(column, "\\u needs four hexadecimal digits of one character"))
            }
            _ => Err(error(column, r"after \ comes one of ' ` \ / n r t f u")),
        }
    }
}

fn error(column: usize, message: &str) -> ParseError {
    ParseError { column, message: message.to_owned() }
}
