//! Signalbox: a FHIR R4 gateway that accepts, validates, routes, delivers and records.

pub mod adapters;
pub mod app;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod delivery;
pub mod demo;
pub mod exchange;
pub mod formats;
pub mod gateway;
pub mod http;
pub mod outcome;
pub mod rejection;
pub mod routing;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod validation;
