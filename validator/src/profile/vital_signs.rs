//! HL7's profiles for [vital signs](https://hl7.org/fhir/R4/observation-vitalsigns.html) by the code that each fixes:
//! an Observation with such a code must meet its profile whether it claims to or not.

use rustc_hash::FxHashMap;

use crate::definition::{Constant, Definitions};

/// Narrower codes that belong to a vital sign as well, by the end of the profile's canonical. The profile then asks for its
/// own code beside them.
const NARROWER: [(&str, &[&str]); 6] = [
    ("/bodyheight", &["8306-3", "8308-9"]),
    ("/bodytemp", &["8331-1"]),
    ("/bodyweight", &["3141-9", "3142-7", "8350-1"]),
    ("/bp", &["8480-6", "55284-4", "76534-7"]),
    ("/headcircum", &["8287-5"]),
    ("/oxygensat", &["2710-2", "59408-5"]),
];

const VITAL_SIGNS: &str = "http://hl7.org/fhir/StructureDefinition/vitalsigns";

/// The canonical of each vital sign's profile by its LOINC code.
pub(crate) fn by_code(definitions: &Definitions) -> FxHashMap<Box<str>, Box<str>> {
    let profiles = definitions
        .iter()
        .filter(|found| found.base.as_deref() == Some(VITAL_SIGNS) && found.url.starts_with(crate::snapshot::BASE));
    let mut found = FxHashMap::default();
    for profile in profiles {
        for (_, codes) in NARROWER.iter().filter(|(name, _)| profile.url.ends_with(name)) {
            found.extend(codes.iter().map(|code| (Box::from(*code), Box::from(profile.url.as_str()))));
        }
        for element in profile.elements.iter().filter(|element| element.path == "Observation.code.coding.code") {
            if let Some(code) = element.fixed.as_ref().and_then(|fixed| match &fixed.value {
                Constant::String(code) => Some(code),
                _ => None,
            }) {
                found.insert(code.clone(), profile.url.as_str().into());
            }
        }
    }
    found
}
