//! [FHIR JSON](https://hl7.org/fhir/R4/json.html) as the gateway reads it, beyond validation.

pub mod patients;
mod references;
