//! The demo: a gateway, a fake hospital system, a fake central server and a folder, each real and in a process of its own,
//! and a stream of synthetic patients to watch.

mod children;
mod configuration;
mod faults;
pub mod partners;
mod people;
mod resources;
pub mod run;
mod stream;
