//! Values with units: periods of time (`250ms`, `30s`, `15m`, `24h`, `30d`) and sizes (`512 KiB`, `10 MiB`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer};

use super::text::{form, parsed};

/// A period of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A number of requests in a second, minute or hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In which time.
    pub period: Duration,
}

/// Why a text is not a value with a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found '{found}'")]
pub struct InvalidUnit {
    expected: &'static str,
    found: String,
}

const PERIOD: &str = "a period such as \"250ms\", \"30s\", \"15m\", \"24h\" or \"30d\"";
const RATE: &str = "a rate such as \"50/s\", \"600/m\" or \"10000/h\"";
const SIZE: &str = "a size such as \"512 KiB\" or \"10 MiB\"";

form!(Period, "^[0-9]+ *(ms|s|m|h|d)$", PERIOD);
form!(Rate, "^[1-9][0-9]*/[smh]$", RATE);
form!(Size, "^[0-9]+ *(B|KiB|MiB|GiB)$", SIZE);

impl FromStr for Period {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, InvalidUnit> {
        let millis = |unit: &str| match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        number_and_unit(text, millis).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(|| invalid(PERIOD, text))
    }
}

impl FromStr for Size {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, InvalidUnit> {
        let bytes = |unit: &str| match unit {
            "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        number_and_unit(text, bytes).map(Self).ok_or_else(|| invalid(SIZE, text))
    }
}

impl FromStr for Rate {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, InvalidUnit> {
        let read = || {
            let (count, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                _ => return None,
            };
            let count = count.parse().ok().filter(|count| *count > 0)?;
            Some(Self { count, period: Duration::from_secs(seconds) })
        };
        read().ok_or_else(|| invalid(RATE, text))
    }
}

fn number_and_unit(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    number.checked_mul(factor(text[split..].trim_start())?)
}

fn invalid(expected: &'static str, found: &str) -> InvalidUnit {
    InvalidUnit { expected, found: found.chars().take(40).collect() }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
        let (unit, size) =
            units.into_iter().find(|(_, size)| ms >= *size && ms.is_multiple_of(*size)).unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / size)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, PERIOD)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, RATE)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_and_sizes_need_a_known_unit() {
        assert_eq!("15m".parse(), Ok(Period(Duration::from_mins(15))));
        assert_eq!("10 MiB".parse(), Ok(Size(10 << 20)));
        assert_eq!(Period(Duration::from_mins(15)).to_string(), "15m");
        let rate = |count, period| Ok(Rate { count, period });
        assert_eq!("50/s".parse(), rate(50, Duration::from_secs(1)));
        assert_eq!("600/m".parse(), rate(600, Duration::from_mins(1)));
        for wrong in ["", "5", "0/s", "5/d", "-1/s", "1.5/s", "5 / s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        for wrong in ["", "15", "m", "15 minutes", "-1s", "1.5h", "99999999999999999999s", "18446744073709551615d"] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
