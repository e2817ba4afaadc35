//! Signalbox: a FHIR R4 gateway that accepts, validates, routes, delivers and records.

pub mod adapters;
pub mod chance;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod exchange;
pub mod formats;
pub mod gateway;
pub mod outcome;
pub mod rejection;
pub mod routing;
