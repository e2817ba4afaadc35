//! The `signalbox` command: hands the world outside to the command line.

use std::process::ExitCode;

use signalbox::chance::Chance;
use signalbox::cli::{self, World};
use signalbox::clock::Clock;
use signalbox::config::Environment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let world = World { clock: Clock::system(), chance: Chance::from_system(), environment: Environment::of_process() };
    cli::run(std::env::args_os(), world)
}
