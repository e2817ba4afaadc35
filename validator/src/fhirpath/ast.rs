//! The tree of an expression; see the [grammar](http://hl7.org/fhirpath/N1/grammar.html). Each part knows where it stands.

use std::fmt;

use rust_decimal::Decimal;

use super::functions::Function;
use super::quantity::{Quantity, Unit};
use super::temporal::Temporal;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    /// Byte offset of what makes it what it is: the operator, the name.
    pub(super) at: usize,
    /// Parts one inside the other, this one included.
    pub(super) height: u32,
    /// It is the same wherever it is evaluated in one document: a way from `%resource`, or from the one around that.
    pub(super) is_settled: bool,
    pub(super) kind: Kind,
}

/// Functions that give the same for the same input, whatever is in focus.
const STEADY: [&str; 12] = [
    "count",
    "distinct",
    "empty",
    "exists",
    "first",
    "last",
    "not",
    "ofType",
    "replaceMatches",
    "single",
    "tail",
    "trace",
];

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `{}`
    Empty,
    Literal(Literal),
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// `%name`
    Variable(Box<str>),
    /// A child, of `from` or of what is in focus; at the start of a path also the name of a type.
    Member {
        from: Option<Box<Expr>>,
        name: Box<str>,
    },
    Call {
        from: Option<Box<Expr>>,
        function: Function,
        arguments: Vec<Expr>,
    },
    /// `from[index]`
    Indexer {
        from: Box<Expr>,
        index: Box<Expr>,
    },
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Binary {
        operator: Operator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `is` and `as`
    Type {
        is: bool,
        of: Box<Expr>,
        name: TypeName,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Box<str>),
    Temporal(Temporal),
    Quantity(Quantity),
}

/// `System.String`, `FHIR.Patient`, `Patient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

impl Kind {
    fn is_settled(&self) -> bool {
        let is_literal = |part: &Expr| matches!(part.kind, Kind::Literal(_));
        match self {
            Self::Variable(name) => matches!(&**name, "resource" | "rootResource"),
            Self::Member { from: Some(from), .. } => from.is_settled,
            Self::Indexer { from, index } => from.is_settled && is_literal(index),
            Self::Call { from: Some(from), function, arguments } => {
                from.is_settled && STEADY.contains(&function.name) && arguments.iter().all(is_literal)
            }
            Self::Binary { left, right, .. } => {
                let is_either = |part: &Expr| part.is_settled || is_literal(part);
                (left.is_settled || right.is_settled) && is_either(left) && is_either(right)
            }
            _ => false,
        }
    }
}

impl Expr {
    pub(super) fn new(at: usize, kind: Kind) -> Self {
        let height = match &kind {
            Kind::Member { from, .. } => from.as_ref().map_or(0, |from| from.height),
            Kind::Call { from, arguments, .. } => {
                let arguments = arguments.iter().map(|argument| argument.height).max().unwrap_or(0);
                from.as_ref().map_or(0, |from| from.height).max(arguments)
            }
            Kind::Indexer { from: left, index: right } | Kind::Binary { left, right, .. } => {
                left.height.max(right.height)
            }
            Kind::Negative(of) | Kind::Positive(of) | Kind::Type { of, .. } => of.height,
            Kind::Empty | Kind::Literal(_) | Kind::This | Kind::Index | Kind::Total | Kind::Variable(_) => 0,
        };
        let is_settled = kind.is_settled();
        Self { at, height: height + 1, is_settled, kind }
    }

    /// Whether it gives one boolean at the most, whatever it is asked of.
    pub(super) fn is_condition(&self) -> bool {
        match &self.kind {
            Kind::Binary { operator, .. } => operator.is_logical(),
            Kind::Call { function, .. } => matches!(function.name, "exists" | "empty" | "not"),
            _ => false,
        }
    }
}

macro_rules! operators {
    ($($name:ident $text:literal $level:literal)*) => {
        /// A binary operator.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Operator { $($name),* }

        impl Operator {
            /// All of them, with their texts and how strongly they bind.
            pub(super) const ALL: &[(Self, &'static str, u8)] = &[$((Self::$name, $text, $level)),*];

            /// Whether it takes conditions on both sides and decides on the left one where that is enough.
            pub(super) fn is_logical(self) -> bool {
                matches!(self, Self::And | Self::Or | Self::Implies)
            }

            pub(super) fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

operators! {
    Implies "implies" 1
    Or "or" 2
    Xor "xor" 2
    And "and" 3
    In "in" 4
    Contains "contains" 4
    Equal "=" 5
    NotEqual "!=" 5
    Equivalent "~" 5
    NotEquivalent "!~" 5
    Less "<" 6
    LessOrEqual "<=" 6
    Greater ">" 6
    GreaterOrEqual ">=" 6
    Union "|" 7
    Add "+" 9
    Subtract "-" 9
    Concatenate "&" 9
    Multiply "*" 10
    Divide "/" 10
    Div "div" 10
    Mod "mod" 10
}

/// How strongly `is` and `as` bind.
pub(super) const TYPE_LEVEL: u8 = 8;

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}.{}", Name(namespace), Name(&self.name)),
            None => write!(f, "{}", Name(&self.name)),
        }
    }
}

/// A name as it is written: in backquotes where it would be something else without.
struct Name<'n>(&'n str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        let plain = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !super::lexer::is_word(self.0);
        if plain {
            return f.write_str(self.0);
        }
        write!(f, "`")?;
        write_escaped(f, self.0, '`')?;
        write!(f, "`")
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    for letter in text.chars() {
        match letter {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            letter if letter == quote => write!(f, "\\{letter}")?,
            letter => write!(f, "{letter}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) if value.scale() == 0 => write!(f, "{value}.0"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::String(text) => {
                f.write_str("'")?;
                write_escaped(f, text, '\'')?;
                f.write_str("'")
            }
            Self::Temporal(value) => write!(f, "{}", value.literal()),
            Self::Quantity(Quantity { value, unit: Unit::Ucum(code) }) => {
                write!(f, "{value} '")?;
                write_escaped(f, code, '\'')?;
                f.write_str("'")
            }
            Self::Quantity(value) => write!(f, "{value}"),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dotted = |f: &mut fmt::Formatter<'_>, from: &Option<Box<Self>>| match from {
            Some(from) => write!(f, "{}.", Operand(from)),
            None => Ok(()),
        };
        match &self.kind {
            Kind::Empty => f.write_str("{}"),
            Kind::Literal(literal) => literal.fmt(f),
            Kind::This => f.write_str("$this"),
            Kind::Index => f.write_str("$index"),
            Kind::Total => f.write_str("$total"),
            Kind::Variable(name) => write!(f, "%{}", Name(name)),
            Kind::Member { from, name } => {
                dotted(f, from)?;
                Name(name).fmt(f)
            }
            Kind::Call { from, function, arguments } => {
                dotted(f, from)?;
                write!(f, "{}(", Name(function.name))?;
                for (number, argument) in arguments.iter().enumerate() {
                    if number > 0 {
                        f.write_str(", ")?;
                    }
                    argument.fmt(f)?;
                }
                f.write_str(")")
            }
            Kind::Indexer { from, index } => write!(f, "{}[{index}]", Operand(from)),
            Kind::Negative(of) => write!(f, "-{}", Operand(of)),
            Kind::Positive(of) => write!(f, "+{}", Operand(of)),
            Kind::Binary { operator, left, right } => {
                write!(f, "{} {} {}", Operand(left), operator.text(), Operand(right))
            }
            Kind::Type { is, of, name } => write!(f, "{} {} {name}", Operand(of), if *is { "is" } else { "as" }),
        }
    }
}

/// A part inside another: in parentheses unless it is one thing by itself.
struct Operand<'e>(&'e Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            Kind::Negative(_) | Kind::Positive(_) | Kind::Binary { .. } | Kind::Type { .. } => {
                write!(f, "({})", self.0)
            }
            // `1.0` followed by a dot reads well; a quantity does not.
            Kind::Literal(Literal::Quantity(_)) => write!(f, "({})", self.0),
            _ => self.0.fmt(f),
        }
    }
}
