//! Synthetic people: invented names and addresses, NHS numbers from the 999 range that is kept for tests, with a right
//! check digit ([NHS number](https://www.datadictionary.nhs.uk/attributes/nhs_number.html)).

use chrono::{Days, NaiveDate};

use crate::chance::Chance;
use crate::formats::hl7v2::uk::nhs_check_digit;

/// One invented person, known to one invented hospital.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Ten digits, from 999.
    pub(super) nhs_number: String,
    /// The hospital's own number.
    pub(super) hospital_number: String,
    pub(super) family: &'static str,
    pub(super) given: &'static str,
    pub(super) gender: &'static str,
    pub(super) born: NaiveDate,
    pub(super) line: String,
    pub(super) city: &'static str,
    pub(super) postcode: &'static str,
    pub(super) phone: String,
}

const FAMILIES: [&str; 20] = [
    "Ashworth",
    "Bickerstaff",
    "Chowdhury",
    "Dunmore",
    "Eze",
    "Fairbairn",
    "Goswami",
    "Hepworth",
    "Iqbal",
    "Jarvis",
    "Kaminski",
    "Llewellyn",
    "Mbeki-Stone",
    "Nightingale",
    "O’Farrell",
    "Pemberton",
    "Quartey",
    "Rahman",
    "Søndergaard",
    "Twine",
];
const FEMALE: [&str; 10] = ["Amara", "Bronwen", "Chloë", "Deepa", "Edith", "Farah", "Grace", "Hana", "Imogen", "Joan"];
const MALE: [&str; 10] = ["Alun", "Babak", "Callum", "Dev", "Emeka", "Frank", "Gareth", "Hamza", "Ivan", "Jack"];
const STREETS: [&str; 8] = [
    "Signal Lane",
    "Junction Road",
    "Semaphore Street",
    "Platform Close",
    "Points Avenue",
    "Ballast Way",
    "Sidings View",
    "Lamp Hut Row",
];
/// Towns that do not exist, with the pseudo postcodes of no fixed place.
const TOWNS: [(&str, &str); 4] = [
    ("Little Wyrley Halt", "ZZ99 3CZ"),
    ("Crossley Junction", "ZZ99 3VZ"),
    ("Upper Tamping", "ZZ99 3GZ"),
    ("Fishplate Bay", "ZZ99 3WZ"),
];

/// The person with this number; the same for the same seed and number.
pub(super) fn person(seed: u64, number: u64) -> Person {
    let chance = Chance::seeded(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let female = chance.bits() & 1 == 0;
    let (city, postcode) = pick(&TOWNS, &chance);
    let days = below(33_000, &chance);
    Person {
        nhs_number: nhs_number(number, &chance),
        hospital_number: format!("RX{:07}", number % 10_000_000),
        family: pick(&FAMILIES, &chance),
        given: pick(if female { &FEMALE } else { &MALE }, &chance),
        gender: if female { "female" } else { "male" },
        born: NaiveDate::from_ymd_opt(1934, 1, 1).unwrap_or_default() + Days::new(days),
        line: format!("{} {}", 1 + below(180, &chance), pick(&STREETS, &chance)),
        city,
        postcode,
        phone: format!("01632 {:06}", 960_000 + below(1_000, &chance)),
    }
}

/// A number of the test range with its check digit; where there is none, the next number is taken.
fn nhs_number(number: u64, chance: &Chance) -> String {
    let mut middle = (number * 7 + below(7, chance)) % 1_000_000;
    loop {
        let nine = format!("999{middle:06}");
        match nhs_check_digit(&nine) {
            None => middle = (middle + 1) % 1_000_000,
            Some(check) => return format!("{nine}{check}"),
        }
    }
}

/// A whole number below `limit`.
pub(super) fn below(limit: u64, chance: &Chance) -> u64 {
    chance.bits() % limit.max(1)
}

/// One of several.
pub(super) fn pick<T: Copy>(all: &[T], chance: &Chance) -> T {
    let at = usize::try_from(below(all.len() as u64, chance)).unwrap_or(0);
    all[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_of_the_test_range_and_checks() {
        for number in 0..2_000 {
            let nhs = person(1, number).nhs_number;
            let digits: Vec<u32> = nhs.bytes().map(|digit| u32::from(digit - b'0')).collect();
            let sum: u32 = digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
            assert!(nhs.starts_with("999") && nhs.len() == 10, "{nhs}");
            assert_eq!((sum + digits[9]) % 11, 0, "{nhs}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_people() {
        assert_eq!(person(7, 3).family, person(7, 3).family);
        assert_eq!(person(7, 3).born, person(7, 3).born);
    }
}
