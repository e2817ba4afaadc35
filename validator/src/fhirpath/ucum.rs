//! As much of [UCUM](https://ucum.org/ucum) as comparing quantities needs: metric prefixes, the base units, the commonest
//! derived and customary ones, products, quotients and powers. A unit that is not known here compares with itself only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;

/// A unit as a number of base units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Canonical {
    pub(super) factor: Decimal,
    /// Powers of the base units.
    pub(super) dimensions: BTreeMap<&'static str, i32>,
}

/// Code, factor (mantissa and decimal exponent), base units.
type Known = (&'static str, i64, u32, &'static [(&'static str, i32)]);

/// Units that take prefixes.
const METRIC: [Known; 18] = [
    ("m", 1, 0, &[("m", 1)]),
    ("g", 1, 0, &[("g", 1)]),
    ("s", 1, 0, &[("s", 1)]),
    ("K", 1, 0, &[("K", 1)]),
    ("cd", 1, 0, &[("cd", 1)]),
    ("C", 1, 0, &[("C", 1)]),
    ("rad", 1, 0, &[("rad", 1)]),
    ("mol", 1, 0, &[("mol", 1)]),
    ("L", 1, 3, &[("m", 3)]),
    ("l", 1, 3, &[("m", 3)]),
    ("Hz", 1, 0, &[("s", -1)]),
    ("N", 1000, 0, &[("g", 1), ("m", 1), ("s", -2)]),
    ("Pa", 1000, 0, &[("g", 1), ("m", -1), ("s", -2)]),
    ("J", 1000, 0, &[("g", 1), ("m", 2), ("s", -2)]),
    ("W", 1000, 0, &[("g", 1), ("m", 2), ("s", -3)]),
    ("A", 1, 0, &[("C", 1), ("s", -1)]),
    ("eq", 1, 0, &[("mol", 1)]),
    ("[iU]", 1, 0, &[("[iU]", 1)]),
];

const OTHERS: [Known; 24] = [
    ("1", 1, 0, &[]),
    ("%", 1, 2, &[]),
    ("[pi]", 3_141_592_653_589_793, 15, &[]),
    ("min", 60, 0, &[("s", 1)]),
    ("h", 3600, 0, &[("s", 1)]),
    ("d", 86_400, 0, &[("s", 1)]),
    ("wk", 604_800, 0, &[("s", 1)]),
    ("mo", 2_629_800, 0, &[("s", 1)]),
    ("a", 31_557_600, 0, &[("s", 1)]),
    ("t", 1_000_000, 0, &[("g", 1)]),
    ("[in_i]", 254, 4, &[("m", 1)]),
    ("[ft_i]", 3048, 4, &[("m", 1)]),
    ("[yd_i]", 9144, 4, &[("m", 1)]),
    ("[mi_i]", 1_609_344, 3, &[("m", 1)]),
    ("[lb_av]", 45_359_237, 5, &[("g", 1)]),
    ("[oz_av]", 28_349_523_125, 9, &[("g", 1)]),
    ("[st_av]", 635_029_318, 5, &[("g", 1)]),
    ("[gal_us]", 3_785_411_784, 12, &[("m", 3)]),
    ("mm[Hg]", 133_322, 0, &[("g", 1), ("m", -1), ("s", -2)]),
    ("cal", 4184, 0, &[("g", 1), ("m", 2), ("s", -2)]),
    ("deg", 17_453_292_519_943_295, 18, &[("rad", 1)]),
    ("U", 16_666_666_666, 18, &[("mol", 1), ("s", -1)]),
    ("[degF]", 1, 0, &[("[degF]", 1)]),
    ("Cel", 1, 0, &[("Cel", 1)]),
];

/// Prefixes with their powers of ten.
const PREFIXES: [(&str, i32); 20] = [
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

impl Canonical {
    /// A code such as `mg/dL` or `10*9/L`; `None` when something in it is not known here.
    pub(super) fn of(code: &str) -> Option<Self> {
        let mut all = Self { factor: Decimal::ONE, dimensions: BTreeMap::new() };
        let mut divided = false;
        let mut rest = code;
        if let Some(after) = rest.strip_prefix('/') {
            (divided, rest) = (true, after);
        }
        loop {
            let length = operator(rest).unwrap_or(rest.len());
            all = all.times(&Self::component(&rest[..length])?, divided)?;
            let Some(operator) = rest[length..].chars().next() else { return Some(all) };
            divided = operator == '/';
            rest = &rest[length + 1..];
        }
    }

    /// One unit with its power, without the annotation in braces that may stand behind it.
    fn component(text: &str) -> Option<Self> {
        let text = match text.split_once('{') {
            Some(("", annotation)) if annotation.ends_with('}') => "1",
            Some((unit, annotation)) if annotation.ends_with('}') => unit,
            Some(_) => return None,
            None => text,
        };
        if let Some(power) = text.strip_prefix("10*").or_else(|| text.strip_prefix("10^")) {
            let power: i32 = if power.is_empty() { 1 } else { power.parse().ok()? };
            return Some(Self { factor: ten(power)?, dimensions: BTreeMap::new() });
        }
        if let Ok(number) = text.parse::<u32>() {
            return Some(Self { factor: number.into(), dimensions: BTreeMap::new() });
        }
        let length = text.trim_end_matches(|letter: char| letter.is_ascii_digit() || "+-".contains(letter)).len();
        let (unit, power) = text.split_at_checked(length)?;
        let power: i32 = if power.is_empty() { 1 } else { power.parse().ok()? };
        Self::unit(unit)?.to_the(power)
    }

    fn unit(code: &str) -> Option<Self> {
        let known = |(_, mantissa, scale, dimensions): &Known| Self {
            factor: Decimal::new(*mantissa, *scale),
            dimensions: dimensions.iter().copied().collect(),
        };
        if let Some(found) = METRIC.iter().chain(&OTHERS).find(|(name, ..)| *name == code) {
            return Some(known(found));
        }
        PREFIXES.iter().find_map(|(prefix, power)| {
            let rest = code.strip_prefix(prefix)?;
            let found = METRIC.iter().find(|(name, ..)| *name == rest)?;
            let unit = known(found);
            Some(Self { factor: unit.factor.checked_mul(ten(*power)?)?, ..unit })
        })
    }

    fn to_the(&self, power: i32) -> Option<Self> {
        let mut all = Self { factor: Decimal::ONE, dimensions: BTreeMap::new() };
        for _ in 0..power.unsigned_abs().min(12) {
            all = all.times(self, power < 0)?;
        }
        Some(all)
    }

    fn times(&self, other: &Self, divided: bool) -> Option<Self> {
        let factor =
            if divided { self.factor.checked_div(other.factor)? } else { self.factor.checked_mul(other.factor)? };
        Some(Self { factor, ..self.combined(other, divided) })
    }

    /// The base units of a product or quotient, one each.
    pub(super) fn combined(&self, other: &Self, divided: bool) -> Self {
        let mut dimensions = self.dimensions.clone();
        for (unit, power) in &other.dimensions {
            *dimensions.entry(unit).or_default() += if divided { -power } else { *power };
        }
        dimensions.retain(|_, power| *power != 0);
        Self { factor: Decimal::ONE, dimensions }
    }

    /// The base units as a code.
    pub(super) fn code(&self) -> String {
        let mut code = String::new();
        let (over, under): (Vec<_>, Vec<_>) = self.dimensions.iter().partition(|(_, power)| **power > 0);
        for (unit, power) in over {
            let _ = write!(code, "{}{unit}", if code.is_empty() { "" } else { "." });
            if *power != 1 {
                let _ = write!(code, "{power}");
            }
        }
        for (unit, power) in under {
            let _ = write!(code, "/{unit}");
            if *power != -1 {
                let _ = write!(code, "{}", -power);
            }
        }
        if code.is_empty() { "1".to_owned() } else { code }
    }
}

/// Where the next product or quotient stands; not inside brackets or braces.
fn operator(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    text.char_indices().find_map(|(at, letter)| {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '.' | '/' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    })
}

fn ten(power: i32) -> Option<Decimal> {
    if power >= 0 {
        (0..power).try_fold(Decimal::ONE, |all, _| all.checked_mul(Decimal::TEN))
    } else {
        (power >= -28).then(|| Decimal::new(1, power.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_measure_the_same_have_the_same_base() {
        let same = |left: &str, right: &str| {
            let (left, right) = (Canonical::of(left).unwrap(), Canonical::of(right).unwrap());
            (left.dimensions == right.dimensions).then(|| (left.factor / right.factor).normalize().to_string())
        };
        assert_eq!(same("kg", "g").as_deref(), Some("1000"));
        assert_eq!(same("mg/dL", "g/L").as_deref(), Some("0.01"));
        assert_eq!(same("cm2", "m2").as_deref(), Some("0.0001"));
        assert_eq!(same("10*9/L", "/nL").as_deref(), Some("1"));
        assert_eq!(same("{beats}/min", "/min").as_deref(), Some("1"));
        assert_eq!(same("wk", "d").as_deref(), Some("7"));
        assert_eq!(same("cm", "s"), None);
        for unknown in ["[degRe]", "m/", "{", "", "é", "m²"] {
            assert_eq!(Canonical::of(unknown), None, "{unknown}");
        }
    }
}
