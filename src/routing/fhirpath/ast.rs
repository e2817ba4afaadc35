//! A condition after reading. A path is a flat list of steps, so a long one is not a deep one.

use super::decimal::Decimal;

/// An expression.
pub(super) enum Expression {
    Path { start: Start, steps: Vec<Step> },
    Binary { operator: Operator, column: usize, left: Box<Expression>, right: Box<Expression> },
}

/// What a path starts from.
pub(super) enum Start {
    /// `$this`; also what a bare name or function applies to.
    This,
    /// `%resource`
    Resource,
    Literal(Literal),
    /// `{}`
    Empty,
    Group(Box<Expression>),
}

pub(super) enum Literal {
    Boolean(bool),
    Text(String),
    Number(Decimal),
    /// A date or a date and time, without the `@`.
    Time(String),
}

/// One step of a path.
pub(super) struct Step {
    pub(super) column: usize,
    pub(super) kind: StepKind,
}

pub(super) enum StepKind {
    /// The first name of a path: the type of the resource at hand, or an element.
    Head(String),
    /// An element.
    Member(String),
    /// `[n]`
    Index(usize),
    /// `is T`, as an operator or a function.
    Is(String),
    Call(Function),
}

pub(super) enum Function {
    All(Expression),
    Contains(Expression),
    Count,
    Empty,
    EndsWith(Expression),
    Exists(Option<Expression>),
    Extension(Expression),
    First,
    Last,
    Not,
    OfType(String),
    StartsWith(Expression),
    Where(Expression),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
}

impl Operator {
    /// The operator that is written so.
    pub(super) fn written(text: &str) -> Option<Self> {
        Some(match text {
            "implies" => Self::Implies,
            "or" => Self::Or,
            "xor" => Self::Xor,
            "and" => Self::And,
            "in" => Self::In,
            "contains" => Self::Contains,
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "|" => Self::Union,
            _ => return None,
        })
    }

    /// How strongly it binds ([precedence](https://hl7.org/fhirpath/N1/#operator-precedence)); more is tighter.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Implies => 1,
            Self::Or | Self::Xor => 2,
            Self::And => 3,
            Self::In | Self::Contains => 4,
            Self::Equal | Self::NotEqual => 5,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Union => 7,
        }
    }
}
