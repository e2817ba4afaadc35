//! Everything of the NHS in these messages: identifier systems, UK Core extensions, ITK value tables, the time zone.
//! [UK Core](https://simplifier.net/hl7fhirukcorer4), HSCIC ITK HL7 v2 Message Specifications.

/// HL7 v2 times carry no zone and mean local time.
pub const ZONE: chrono_tz::Tz = chrono_tz::Europe::London;
/// MSH-17.
pub const COUNTRY: &str = "GBR";
/// The NHS number.
pub const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// The check digit of the first nine digits of an
/// [NHS number](https://www.datadictionary.nhs.uk/attributes/nhs_number.html); `None` when they are no nine digits, or no
/// number begins with them.
#[must_use]
pub fn nhs_check_digit(nine: &str) -> Option<char> {
    if nine.len() != 9 {
        return None;
    }
    let digits = nine.chars().zip((2..=10).rev()).map(|(digit, weight)| Some(digit.to_digit(10)? * weight));
    match 11 - digits.sum::<Option<u32>>()? % 11 {
        11 => Some('0'),
        check => char::from_digit(check, 10),
    }
}

/// Whether ten digits are an NHS number, by their check digit.
#[must_use]
pub fn is_nhs_number(ten: &str) -> bool {
    let parts = ten.split_at_checked(9);
    parts.is_some_and(|(nine, last)| nhs_check_digit(nine).is_some_and(|digit| last.chars().eq([digit])))
}

/// CX-4 of the NHS number.
pub const NHS_AUTHORITY: &str = "NHS";
/// CX-5 of the NHS number.
pub const NHS_TYPE: &str = "NH";
/// Organisations.
pub const ODS_ORGANISATION: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// Sites of organisations.
pub const ODS_SITE: &str = "https://fhir.nhs.uk/Id/ods-site-code";
/// PID-5.1 is required; this stands for a name nobody gave.
pub const NO_FAMILY_NAME: &str = "Unknown";
/// CX-4 of PV1-19.
pub const VISIT_AUTHORITY: &str = "VISITID";
/// Whether the NHS number was traced.
pub const VERIFICATION_STATUS: &str =
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus";
/// Ethnic category.
pub const ETHNIC_CATEGORY: &str = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory";
/// How a patient came to be admitted.
pub const ADMISSION_METHOD: &str = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AdmissionMethod";
/// How a patient came to be discharged.
pub const DISCHARGE_METHOD: &str = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DischargeMethod";

/// Professional identifiers and how XCN-9 names who gave them.
const PROFESSIONAL: [(&str, &str); 3] = [
    ("https://fhir.hl7.org.uk/Id/gmp-number", "GMP"),
    ("https://fhir.hl7.org.uk/Id/gmc-number", "GMC"),
    ("https://fhir.hl7.org.uk/Id/nmc-number", "NMC"),
];

/// XCN-9 for a professional's identifier.
#[must_use]
pub fn professional_authority(system: &str) -> Option<&'static str> {
    PROFESSIONAL.iter().find(|(known, _)| *known == system).map(|(_, authority)| *authority)
}

/// The older UK Core codes of the verification status, at the place of their number.
const STATUS_WORDS: [&str; 8] = [
    "number-present-and-verified",
    "number-present-but-not-traced",
    "trace-required",
    "trace-attempted",
    "trace-needs-to-be-resolved",
    "trace-in-progress",
    "number-not-present-and-trace-not-required",
    "trace-postponed",
];

/// PID-32 for a verification status: `NSTS01` to `NSTS08`.
#[must_use]
pub fn nsts(code: &str) -> Option<String> {
    let of_word = STATUS_WORDS.iter().position(|word| *word == code).map(|index| index + 1);
    let of_digits = code.strip_prefix('0').filter(|digit| digit.len() == 1).and_then(|digit| digit.parse().ok());
    let number = of_word.or(of_digits).filter(|number| (1..=8).contains(number))?;
    Some(format!("NSTS0{number}"))
}

/// PID-16 for a code of v3-MaritalStatus or v3-NullFlavor, as the UK Core concept map has it.
#[must_use]
pub fn marital_status(code: &str) -> Option<&'static str> {
    Some(match code {
        "S" | "U" => "S",
        "M" => "M",
        "D" => "D",
        "W" => "W",
        "L" => "P",
        "UNK" => "N",
        _ => return None,
    })
}

/// PV1-4: emergency methods newer than table 0007 become `28`, "other emergency".
#[must_use]
pub fn admission_method(code: &str) -> &str {
    match code {
        "25" | "2A" | "2B" | "2C" | "2D" => "28",
        other => other,
    }
}

/// PV1-2 for an Encounter's class (v3-ActCode).
#[must_use]
pub fn patient_class(code: &str) -> Option<&'static str> {
    Some(match code {
        "IMP" | "ACUTE" | "NONAC" | "SS" => "I",
        "AMB" | "HH" | "VR" => "O",
        "EMER" => "E",
        "PRENC" => "P",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_was_never_given_is_never_made_up() {
        assert_eq!(nsts("01").as_deref(), Some("NSTS01"));
        assert_eq!(nsts("trace-postponed").as_deref(), Some("NSTS08"));
        for wrong in ["", "0", "00", "09", "1", "010", "0x", "verified"] {
            assert_eq!(nsts(wrong), None, "{wrong}");
        }
    }
}
