//! Evaluates a condition over a document ([semantics](https://hl7.org/fhirpath/N1/#expressions)). Nothing of the
//! document is copied; a collection is a list of handles.

use std::cmp::Ordering;

use signalbox_validator::json::Value;

use super::Undecidable;
use super::ast::{Expression, Function, Literal, Operator, Start, Step, StepKind};
use super::decimal::Decimal;
use super::element::{elements, is_of_type, is_resource};
use super::item::{Item, NoOrder};

type Items<'d> = Vec<Item<'d>>;

/// Whether the condition is true for the resource.
pub(super) fn holds(condition: &Expression, resource: Value<'_>) -> Result<bool, Undecidable> {
    let context = Context { resource, this: Item::Node(resource) };
    let result = context.evaluate(condition)?;
    Ok(truth(&result, 1)? == Some(true))
}

struct Context<'d> {
    resource: Value<'d>,
    this: Item<'d>,
}

impl<'d> Context<'d> {
    fn evaluate(&self, expression: &'d Expression) -> Result<Items<'d>, Undecidable> {
        match expression {
            Expression::Path { start, steps } => {
                let start = self.start(start)?;
                steps.iter().try_fold(start, |items, step| self.step(items, step))
            }
            Expression::Binary { operator, column, left, right } => self.binary(*operator, *column, left, right),
        }
    }

    fn start(&self, start: &'d Start) -> Result<Items<'d>, Undecidable> {
        Ok(match start {
            Start::This => vec![self.this.clone()],
            Start::Resource => vec![Item::Node(self.resource)],
            Start::Empty => Vec::new(),
            Start::Group(expression) => self.evaluate(expression)?,
            Start::Literal(Literal::Boolean(value)) => vec![Item::Boolean(*value)],
            Start::Literal(Literal::Text(text)) => vec![Item::Text(text)],
            Start::Literal(Literal::Number(number)) => vec![Item::Number(number.clone())],
            Start::Literal(Literal::Time(time)) => vec![Item::Time(time)],
        })
    }

    fn step(&self, items: Items<'d>, step: &'d Step) -> Result<Items<'d>, Undecidable> {
        let nodes = || items.iter().filter_map(Item::node);
        Ok(match &step.kind {
            StepKind::Head(name) => match nodes().next() {
                Some(node) if is_resource(node, name) => items,
                _ => nodes().flat_map(|node| elements(node, name)).map(Item::Node).collect(),
            },
            StepKind::Member(name) => nodes().flat_map(|node| elements(node, name)).map(Item::Node).collect(),
            StepKind::Index(index) => items.into_iter().nth(*index).into_iter().collect(),
            StepKind::Is(name) => match items.as_slice() {
                [] => Vec::new(),
                [item] => vec![Item::Boolean(is_of(item, name, step.column)?)],
                _ => return Err(undecidable(step.column, "'is' needs one value")),
            },
            StepKind::Call(function) => self.call(items, function, step.column)?,
        })
    }

    fn call(&self, items: Items<'d>, function: &'d Function, column: usize) -> Result<Items<'d>, Undecidable> {
        let boolean = |value: bool| Ok(vec![Item::Boolean(value)]);
        match function {
            Function::Count => Ok(vec![Item::Number(Decimal::from(items.len()))]),
            Function::Empty => boolean(items.is_empty()),
            Function::Exists(None) => boolean(!items.is_empty()),
            Function::Exists(Some(criteria)) => boolean(!self.filter(items, criteria, column)?.is_empty()),
            Function::All(criteria) => {
                let whole = items.len();
                boolean(self.filter(items, criteria, column)?.len() == whole)
            }
            Function::Where(criteria) => self.filter(items, criteria, column),
            Function::First => Ok(items.into_iter().take(1).collect()),
            Function::Last => Ok(items.into_iter().last().into_iter().collect()),
            Function::Not => Ok(truth(&items, column)?.map(|value| Item::Boolean(!value)).into_iter().collect()),
            Function::OfType(name) => {
                let typed = items.into_iter().map(|item| Ok(is_of(&item, name, column)?.then_some(item)));
                Ok(typed.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Function::Extension(url) => {
                let url = self.evaluate(url)?;
                let wanted = one_text(&url, column)?;
                let named = items.iter().filter_map(Item::node).flat_map(|node| elements(node, "extension"));
                Ok(named.filter(|one| wanted.is_some() && one.str_at(&["url"]) == wanted).map(Item::Node).collect())
            }
            Function::StartsWith(part) => self.text_test(&items, part, column, |text, part| text.starts_with(part)),
            Function::EndsWith(part) => self.text_test(&items, part, column, |text, part| text.ends_with(part)),
            Function::Contains(part) => self.text_test(&items, part, column, |text, part| text.contains(part)),
        }
    }

    fn filter(&self, items: Items<'d>, criteria: &'d Expression, column: usize) -> Result<Items<'d>, Undecidable> {
        let mut kept = Vec::new();
        for item in items {
            let context = Self { resource: self.resource, this: item };
            if truth(&context.evaluate(criteria)?, column)? == Some(true) {
                kept.push(context.this);
            }
        }
        Ok(kept)
    }

    fn text_test(
        &self,
        items: &[Item<'d>],
        part: &'d Expression,
        column: usize,
        test: impl Fn(&str, &str) -> bool,
    ) -> Result<Items<'d>, Undecidable> {
        let part = self.evaluate(part)?;
        let both = one_text(items, column)?.zip(one_text(&part, column)?);
        Ok(both.map(|(text, part)| Item::Boolean(test(&text, &part))).into_iter().collect())
    }

    fn binary(
        &self,
        operator: Operator,
        column: usize,
        left: &'d Expression,
        right: &'d Expression,
    ) -> Result<Items<'d>, Undecidable> {
        use Operator::{And, Contains, Equal, Implies, In, NotEqual, Or, Union, Xor};
        let left = self.evaluate(left)?;
        let result = match operator {
            And | Or | Xor | Implies => self.logic(operator, truth(&left, column)?, right, column)?,
            Equal => equal(&left, &self.evaluate(right)?),
            NotEqual => equal(&left, &self.evaluate(right)?).map(|equal| !equal),
            In => member(&left, &self.evaluate(right)?, column)?,
            Contains => member(&self.evaluate(right)?, &left, column)?,
            Union => return Ok(union(left, self.evaluate(right)?)),
            _ => ordered(operator, &left, &self.evaluate(right)?, column)?,
        };
        Ok(result.map(Item::Boolean).into_iter().collect())
    }

    /// [Three-valued logic](https://hl7.org/fhirpath/N1/#boolean-logic); the right side is looked at only when it matters.
    fn logic(
        &self,
        operator: Operator,
        left: Option<bool>,
        right: &'d Expression,
        column: usize,
    ) -> Result<Option<bool>, Undecidable> {
        match (operator, left) {
            (Operator::And, Some(false)) => return Ok(Some(false)),
            (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => return Ok(Some(true)),
            _ => {}
        }
        let right = truth(&self.evaluate(right)?, column)?;
        Ok(match (operator, left, right) {
            (Operator::And, _, Some(false)) => Some(false),
            (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
            (Operator::Xor, Some(left), Some(right)) => Some(left != right),
            (Operator::And | Operator::Implies, Some(true), right) | (Operator::Or, Some(false), right) => right,
            _ => None,
        })
    }
}

/// A collection as a condition: empty is neither, one value that is no boolean is true.
fn truth(items: &[Item<'_>], column: usize) -> Result<Option<bool>, Undecidable> {
    match items {
        [] => Ok(None),
        [item] => Ok(Some(item.as_bool().unwrap_or(true))),
        _ => Err(undecidable(column, "several values where one condition is needed; write .exists() behind the path")),
    }
}

fn equal(left: &[Item<'_>], right: &[Item<'_>]) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let pairs: Vec<Option<bool>> = left.iter().zip(right).map(|(one, another)| one.equals(another)).collect();
    if pairs.contains(&Some(false)) { Some(false) } else { pairs.into_iter().collect::<Option<Vec<_>>>().map(|_| true) }
}

fn member(one: &[Item<'_>], many: &[Item<'_>], column: usize) -> Result<Option<bool>, Undecidable> {
    match one {
        [] => Ok(None),
        [item] => Ok(Some(many.iter().any(|other| item.equals(other) == Some(true)))),
        _ => Err(undecidable(column, "several values where one is looked for")),
    }
}

fn union<'d>(left: Items<'d>, right: Items<'d>) -> Items<'d> {
    let mut all: Items<'d> = Vec::with_capacity(left.len() + right.len());
    for item in left.into_iter().chain(right) {
        if all.iter().all(|other| other.equals(&item) != Some(true)) {
            all.push(item);
        }
    }
    all
}

fn ordered(
    operator: Operator,
    left: &[Item<'_>],
    right: &[Item<'_>],
    column: usize,
) -> Result<Option<bool>, Undecidable> {
    let (one, another) = match (left, right) {
        ([], _) | (_, []) => return Ok(None),
        ([one], [another]) => (one, another),
        _ => return Err(undecidable(column, "several values on one side of a comparison")),
    };
    let order = one.compare(another).map_err(|NoOrder| undecidable(column, "values of these kinds have no order"))?;
    let holds = |order: Ordering| match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    };
    Ok(order.map(holds))
}

fn one_text<'d>(items: &[Item<'d>], column: usize) -> Result<Option<std::borrow::Cow<'d, str>>, Undecidable> {
    match items {
        [] => Ok(None),
        [item] => item.as_text().map(Some).ok_or(undecidable(column, "this function needs a text")),
        _ => Err(undecidable(column, "several values where one text is needed")),
    }
}

fn is_of(item: &Item<'_>, name: &str, column: usize) -> Result<bool, Undecidable> {
    let typed = item.node().and_then(|node| is_of_type(node, name));
    typed.ok_or(undecidable(column, "only the types of resources and of choices such as value[x] can be told"))
}

fn undecidable(column: usize, reason: &'static str) -> Undecidable {
    Undecidable { column, reason }
}
