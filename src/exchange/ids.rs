//! The ids of exchanges and deliveries: 100 bits (48 of milliseconds since 1970, 52 random) that read as 20 Crockford
//! base-32 characters where HL7 v2 allows 20 (MSH-10), and as a UUID version 8
//! ([RFC 9562 §5.8](https://www.rfc-editor.org/rfc/rfc9562#section-5.8)) where HTTP wants one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::chance::Chance;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A hundred bits that sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 20 characters of 0-9 and A-Z without I, L, O and U")]
pub struct InvalidId;

impl Id {
    /// A new id for something that happens at `time`.
    #[must_use]
    pub fn new(time: DateTime<Utc>, chance: &Chance) -> Self {
        let millis = u128::try_from(time.timestamp_millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        Self(millis << 52 | u128::from(chance.bits() >> 12))
    }

    /// When it was made, to the millisecond.
    #[must_use]
    pub fn time(self) -> DateTime<Utc> {
        let millis = i64::try_from(self.0 >> 52).unwrap_or_default();
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    /// No id made at `time` or later is smaller than this one.
    #[must_use]
    pub fn first_at(time: DateTime<Utc>) -> Self {
        Self((u128::try_from(time.timestamp_millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF) << 52)
    }

    /// The same bits as a UUID version 8; the last 22 bits are zero.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        let custom_a = self.0 >> 52;
        let custom_b = (self.0 >> 40) & 0xFFF;
        let custom_c = (self.0 & 0xFF_FFFF_FFFF) << 22;
        Uuid::from_u128(custom_a << 80 | 0x8 << 76 | custom_b << 64 | 0b10 << 62 | custom_c)
    }

    /// The id whose [`Id::uuid`] this is; `None` for any other UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        let bits = uuid.as_u128();
        let id = Self((bits >> 80) << 52 | (bits >> 64 & 0xFFF) << 40 | (bits >> 22 & 0xFF_FFFF_FFFF));
        (id.uuid() == uuid).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 20];
        let mut rest = self.0;
        for place in text.iter_mut().rev() {
            *place = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
            rest >>= 5;
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    /// Reads the 20 characters, either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 20 {
            return Err(InvalidId);
        }
        text.bytes()
            .map(|byte| ALPHABET.iter().position(|&letter| letter == byte.to_ascii_uppercase()))
            .try_fold(0_u128, |bits, digit| Some(bits << 5 | u128::try_from(digit?).ok()?))
            .map(Self)
            .ok_or(InvalidId)
    }
}

/// One message on its way through the gateway; the id of its Task.
pub type ExchangeId = Id;

/// One exchange for one destination; every attempt carries it.
pub type DeliveryId = Id;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_survives_text_and_uuid(millis in 0_i64..1 << 47, seed: u64) {
            let time = DateTime::from_timestamp_millis(millis).unwrap();
            let id = Id::new(time, &Chance::seeded(seed));
            prop_assert_eq!(id.to_string().len(), 20);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_lowercase().parse(), Ok(id));
            prop_assert_eq!(Id::from_uuid(id.uuid()), Some(id));
            prop_assert_eq!(id.time(), time);
            prop_assert_eq!(id.uuid().get_version_num(), 8);
        }

        #[test]
        fn later_ids_sort_later(millis in 0_i64..1 << 46, step in 1_i64..1_000_000, a: u64, b: u64) {
            let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
            let (first, second) = (Id::new(at(millis), &Chance::seeded(a)), Id::new(at(millis + step), &Chance::seeded(b)));
            prop_assert!(first < second && first.to_string() < second.to_string() && first.uuid() < second.uuid());
        }
    }

    #[test]
    fn other_uuids_and_texts_are_not_ids() {
        assert_eq!(Id::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)), None);
        assert_eq!("".parse::<Id>(), Err(InvalidId));
        assert_eq!("0123456789ABCDEFGHIL".parse::<Id>(), Err(InvalidId));
        assert_eq!("ééééééééééé".parse::<Id>(), Err(InvalidId));
    }
}
