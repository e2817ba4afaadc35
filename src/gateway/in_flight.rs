//! What the writers of this process are about to commit: of deliveries that share a key and are written at once, one is
//! the first, and the others wait for it ([decision 19](../../docs/adr/0019-ready-when-nothing-is-before-it.md)).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::exchange::rows::DeliveryRow;

/// A key at the destination with this number.
type Key = (i32, [u8; 32]);

/// The keys in batches that are being written, and in how many deliveries each.
#[derive(Default)]
pub(super) struct InFlight(Mutex<HashMap<Key, usize>>);

/// A batch that is being written; its keys are let go when this is dropped.
pub(super) struct Batch<'f> {
    in_flight: &'f InFlight,
    keys: Vec<Key>,
    /// For each delivery of the batch, in order: whether none that is being written is before it.
    pub(super) first: Vec<bool>,
}

impl InFlight {
    /// Takes the keys of a batch in its order.
    pub(super) fn enter<'r>(&self, deliveries: impl IntoIterator<Item = &'r DeliveryRow>) -> Batch<'_> {
        let (mut keys, mut first) = (Vec::new(), Vec::new());
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for delivery in deliveries {
            let mut is_first = true;
            for key in delivery.keys.iter().map(|key| (delivery.destination, *key)) {
                let count = held.entry(key).or_default();
                is_first &= *count == 0;
                *count += 1;
                keys.push(key);
            }
            first.push(is_first);
        }
        Batch { in_flight: self, keys, first }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut held = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            let left = held.get_mut(key).map_or(0, |count| {
                *count = count.saturating_sub(1);
                *count
            });
            if left == 0 {
                held.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::chance::Chance;
    use crate::exchange::ids::Id;

    fn about(patients: &[u8]) -> DeliveryRow {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        DeliveryRow {
            id: Id::new(now, &Chance::seeded(1)),
            destination: 1,
            route: "r".to_owned(),
            options: serde_json::json!({}),
            keys: patients.iter().map(|patient| [*patient; 32]).collect(),
            give_up_at: now,
            held: None,
        }
    }

    #[test]
    fn of_deliveries_that_share_a_key_only_the_first_is_first_until_both_are_written() {
        let in_flight = InFlight::default();
        let [anna, ben, merge, nobody] = [about(&[1]), about(&[2]), about(&[2, 3]), about(&[])];
        let one = in_flight.enter([&anna, &anna, &nobody]);
        assert_eq!(one.first, [true, false, true]);
        let other = in_flight.enter([&ben, &merge, &anna]);
        assert_eq!(other.first, [true, false, false]);
        drop(one);
        // Still in the hands of the second.
        assert_eq!(in_flight.enter([&anna]).first, [false]);
        drop(other);
        assert_eq!(in_flight.enter([&anna, &merge]).first, [true, true]);
        assert!(in_flight.0.lock().unwrap().is_empty());
    }
}
