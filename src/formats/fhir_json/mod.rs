//! x
pub mod patients;
