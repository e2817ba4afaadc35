//! What differs from partner to partner: who is named in the header, which alphabet and authorities are agreed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::charset::Charset;

/// One receiving system and what was agreed with it.
#[derive(Debug, Clone)]
pub struct Partner {
    /// MSH-3.
    pub sending_application: String,
    /// MSH-4, an ODS code in the NHS.
    pub sending_facility: String,
    /// MSH-5.
    pub receiving_application: String,
    /// MSH-6, an ODS code in the NHS.
    pub receiving_facility: String,
    /// MSH-11: `P` production, `T` training, `D` debugging.
    pub processing_id: String,
    /// MSH-18.
    pub charset: Charset,
    /// Alphabet of PID-8 and NK1-15.
    pub sex: SexAlphabet,
    /// Identifier system -> assigning authority (CX-4). Identifiers of other systems are not sent.
    pub authorities: BTreeMap<String, String>,
}

/// Codes of administrative sex (table 0001).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SexAlphabet {
    /// `1` male, `2` female, `9` not specified, `0` not known.
    #[default]
    Itk,
    /// `M` male, `F` female, `O` other, `U` unknown.
    Hl7,
}

impl SexAlphabet {
    /// The code for a FHIR administrative gender; `None` when FHIR has no such gender.
    #[must_use]
    pub fn code(self, gender: &str) -> Option<&'static str> {
        let (itk, hl7) = match gender {
            "male" => ("1", "M"),
            "female" => ("2", "F"),
            "other" => ("9", "O"),
            "unknown" => ("0", "U"),
            _ => return None,
        };
        Some(match self {
            Self::Itk => itk,
            Self::Hl7 => hl7,
        })
    }
}
